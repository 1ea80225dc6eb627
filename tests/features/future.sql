-- Rows of every dated feed that happen on the day getvariable('future_date') and after it, unlike anything before.
insert into raw.users by name select 'new user' as user_id, 'n/a' as age_band;

insert into raw.products by name
select '0 new product' as product_id, 'FOOD' as category, 'FOOD > kind 0 > type 0' as category_path;

insert into raw.sites by name select 'new site' as site_id, 'store' as site_type;

insert into raw.orders by name
select
    'future-' || user_id || '-' || day as order_id,
    user_id,
    cast(getvariable('future_date') as date) + cast(day as integer) as ordered_at,
    'COUPON' as coupon
from raw.users, range(0, 60, 6) as days (day);

insert into raw.order_lines by name
select
    order_id || '-' || product_id as order_line_id,
    order_id,
    product_id,
    'new site' as ship_from_site_id,
    9 as quantity,
    50 as list_price,
    40 as sold_price,
    90 as discount,
    ordered_at + interval 1 day as delivered_at
from raw.orders, raw.products
where order_id like 'future-%' and product_id in ('p1', 'p4', 'p10', '0 new product');

insert into raw.promotions by name
select
    'future-' || channel as promotion_id,
    getvariable('future_date') as announced_at,
    cast(getvariable('future_date') as date) + 1 as starts_at,
    cast(getvariable('future_date') as date) + 25 as ends_at,
    'percent' as discount_type,
    50 as discount_value,
    channel,
    'place 0' as placement
from (select unnest(['display', 'mailer', 'web']) as channel);

insert into raw.promotion_products by name
select promotion_id, product_id
from raw.promotions, raw.products
where promotion_id like 'future-%';

insert into raw.campaigns by name
select
    'future' as campaign_id,
    'a new kind' as campaign_type,
    cast(getvariable('future_date') as date) + 1 as starts_at,
    cast(getvariable('future_date') as date) + 10 as ends_at;

insert into raw.campaign_products by name select 'future' as campaign_id, product_id from raw.products;

insert into raw.campaign_targets by name select 'future' as campaign_id, user_id from raw.users;

insert into raw.redemptions by name
select
    'future-' || campaign_id || '-' || user_id as redemption_id,
    campaign_id,
    user_id,
    cast(getvariable('future_date') as date) as redeemed_at
from raw.campaign_targets
where campaign_id in ('c6', 'c9', 'c10');

insert into raw.service_tickets by name
select
    'future-' || order_id as ticket_id,
    user_id,
    order_id,
    'chat' as channel,
    'a new reason' as contact_reason,
    getvariable('future_date') as created_at
from raw.orders;

insert into raw.purchase_order_lines by name
select
    'future-' || product_id as purchase_order_line_id,
    'future' as purchase_order_id,
    'v0' as supplier_id,
    product_id,
    getvariable('future_date') as ordered_at,
    9 as quantity_submitted,
    getvariable('future_date') as expected_delivery_date,
    cast(getvariable('future_date') as date) + 1 as received_at
from raw.products;

insert into raw.inventory_snapshots by name
select
    cast(getvariable('future_date') as date) + cast(day as integer) as snapshot_date,
    'new site' as site_id,
    product_id,
    24 as out_of_stock_hours
from raw.products, range(20) as days (day);

insert into raw.behaviour_events by name
select
    'future-' || user_id as event_id,
    'review' as event_type,
    getvariable('future_date') as event_at,
    user_id,
    'p1' as product_id,
    1 as rating
from raw.users;
