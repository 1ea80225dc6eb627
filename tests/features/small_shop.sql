-- A shop of 24 users, 12 products and 3 sites that trades for 320 days from 1 January 2024, with every optional feed.
-- Everything follows from the numbers of the day, the user and the product.
create temp table visits as
select day, user_number, date '2024-01-01' + cast(day as integer) as visit_date
from range(320) as days (day), range(24) as users (user_number)
where (day * 5 + user_number * 3) % (3 + user_number % 6) = 0;

insert into raw.users by name
select
    'u' || user_number as user_id,
    ['18-34', '35-54', '55+'][1 + user_number % 3] as age_band,
    user_number % 7 <> 0 as has_marketing_consent
from range(24) as users (user_number);

insert into raw.sites by name
select 's' || site as site_id, 'store' as site_type from range(3) as sites (site);

insert into raw.products by name
select
    'p' || product as product_id,
    'brand ' || product % 3 as brand,
    ['FOOD', 'DRINKS'][1 + product % 2] as category,
    ['FOOD', 'DRINKS'][1 + product % 2] || ' > kind ' || product % 4 || ' > type ' || product as category_path,
    product <> 11 as is_recommendable
from range(12) as products (product);

insert into raw.orders by name
select
    'o' || day || '-' || user_number as order_id,
    'u' || user_number as user_id,
    visit_date + interval 12 hour as ordered_at,
    'completed' as status,
    if((day + user_number) % 9 = 0, 'SAVE', null) as coupon
from visits;

insert into raw.order_lines by name
select
    'o' || day || '-' || user_number || '-' || product as order_line_id,
    'o' || day || '-' || user_number as order_id,
    'p' || product as product_id,
    's' || (user_number % 3) as ship_from_site_id,
    1 + (day + product) % 3 as quantity,
    2 + product / 2 as list_price,
    round((2 + product / 2) * if((day // 7 + product) % 4 = 0, 0.8, 1), 2) as sold_price,
    round((1 + (day + product) % 3) * (2 + product / 2) * if((day // 7 + product) % 4 = 0, 0.2, 0), 2) as discount,
    visit_date + 2 as promised_delivery_date,
    visit_date + interval 20 hour as shipped_at,
    visit_date + to_days(cast(1 + (day + user_number) % 4 as integer)) as delivered_at,
    if((day + user_number + product) % 13 = 0, visit_date + interval 9 day, null) as returned_at
from visits, range(12) as products (product)
-- Everybody leaves out some products, so that there is something new to recommend.
where (day * 7 + user_number * 5 + product * (1 + user_number % 4)) % 5 < 2 and (product + user_number) % 3 <> 0;

insert into raw.promotions by name
select
    'm' || week || '-' || kind as promotion_id,
    date '2024-01-01' + cast(7 * week - 28 as integer) as announced_at,
    date '2024-01-01' + cast(7 * week as integer) as starts_at,
    date '2024-01-01' + cast(7 * week + 7 as integer) as ends_at,
    if(kind = 2, 'percent', 'placement') as discount_type,
    if(kind = 2, 25, null) as discount_value,
    ['display', 'mailer', 'web'][1 + kind] as channel,
    'place ' || week % 2 as placement
from range(46) as weeks (week), range(3) as kinds (kind);

insert into raw.promotion_products by name
select
    'm' || week || '-' || kind as promotion_id,
    'p' || product as product_id,
    if(kind = 0, ['s0', 's1'], null) as site_ids
from range(46) as weeks (week), range(3) as kinds (kind), range(12) as products (product)
where (week + product + kind) % 4 = 0;

insert into raw.campaigns by name
select
    'c' || campaign as campaign_id,
    'kind ' || campaign % 2 as campaign_type,
    date '2024-01-01' + cast(60 + 20 * campaign as integer) as starts_at,
    date '2024-01-01' + cast(90 + 20 * campaign as integer) as ends_at,
    3 + campaign as coupon_count
from range(14) as campaigns (campaign);

insert into raw.campaign_products by name
select 'c' || campaign as campaign_id, 'p' || product as product_id
from range(14) as campaigns (campaign), range(12) as products (product)
where (campaign + product) % 3 = 0;

insert into raw.campaign_targets by name
select 'c' || campaign as campaign_id, 'u' || user_number as user_id
from range(14) as campaigns (campaign), range(24) as users (user_number)
where (campaign + user_number) % 2 = 0;

insert into raw.redemptions by name
select
    campaign_id || '-' || user_id as redemption_id,
    campaign_id,
    user_id,
    starts_at + interval 5 day as redeemed_at
from raw.campaign_targets
join raw.campaigns using (campaign_id)
where cast(user_id[2:] as integer) % 3 = 0;

insert into raw.service_tickets by name
select
    't' || day || '-' || user_number as ticket_id,
    'u' || user_number as user_id,
    'o' || day || '-' || user_number as order_id,
    ['email', 'phone'][1 + user_number % 2] as channel,
    'late' as contact_reason,
    visit_date + interval 4 day as created_at
from visits
where (day + user_number) % 6 = 0;

insert into raw.purchase_order_lines by name
select
    'l' || week || '-' || product as purchase_order_line_id,
    'b' || week as purchase_order_id,
    'v' || product % 3 as supplier_id,
    'p' || product as product_id,
    timestamp '2024-01-01 09:00' + to_days(cast(7 * week as integer)) as ordered_at,
    12 as quantity_submitted,
    date '2024-01-01' + cast(7 * week + 5 as integer) as expected_delivery_date,
    ordered_at + to_days(cast(4 + (week + product) % 9 as integer)) as received_at
from range(45) as weeks (week), range(12) as products (product);

insert into raw.inventory_snapshots by name
select
    date '2024-01-01' + cast(day as integer) as snapshot_date,
    's' || site as site_id,
    'p' || product as product_id,
    10 as available_units,
    if((day // 5 + product + site) % 7 = 0, 18, 0) as out_of_stock_hours
from range(320) as days (day), range(3) as sites (site), range(12) as products (product);

insert into raw.behaviour_events by name
select
    'r' || order_line_id as event_id,
    'review' as event_type,
    delivered_at + interval 3 day as event_at,
    user_id,
    product_id,
    1 + hash(order_line_id) % 5 as rating
from raw.order_lines
join raw.orders using (order_id)
where hash(order_line_id) % 4 = 0;

drop table visits;
