-- One row per order of the last 14 days before an origin that nobody has asked about yet: it may still lead to a
-- contact. Empty without tickets.
create or replace table samples.service_orders as
with bounds as (
    select cast(getvariable('horizon_days') as integer) as horizon
),
open_orders as (
    select order_facts.*, origin_date, cutoff_date, fold, origin_date + horizon as label_end
    from order_facts
    join features.service_origins on business_date < origin_date and business_date >= origin_date - 14, bounds
    where not exists (
        from known_tickets
        where known_tickets.order_id = order_facts.order_id and created_date < origin_date
    )
),
contacted as (
    select distinct open_orders.order_id, origin_date
    from open_orders
    join known_tickets using (order_id)
    where created_date >= origin_date and created_date < label_end
),
-- What had been heard of the order's products by then, against what was usual in the shop: a product with few sales
-- is taken for a usual one.
product_records as (
    select
        order_id,
        origin_date,
        (records.contacts + 20 * shop.contact_ratio) / (records.lines + 20) as contact_ratio,
        (records.returns + 20 * shop.return_ratio) / (records.lines + 20) as return_ratio,
        (records.stars + 5 * shop.rating) / (records.ratings + 5) as rating
    from open_orders
    join (select distinct order_id, product_id from known_lines) as lines using (order_id)
    asof join product_after_sales as records
        on records.product_id = lines.product_id and records.business_date < origin_date
    asof join shop_after_sales as shop on shop.business_date < origin_date
),
product_levels as (
    select
        order_id,
        origin_date,
        avg(cast(contact_ratio as decimal(18, 9))) as contact_ratio,
        max(contact_ratio) as contact_ratio_max,
        avg(cast(return_ratio as decimal(18, 9))) as return_ratio,
        max(return_ratio) as return_ratio_max,
        min(rating) as rating_min
    from product_records
    group by order_id, origin_date
),
user_records as (
    select
        order_id,
        origin_date,
        records.contacts,
        (records.contacts + 5 * shop.contact_ratio) / (records.lines + 5) as contact_ratio,
        (records.returns + 5 * shop.return_ratio) / (records.lines + 5) as return_ratio
    from open_orders
    asof join user_after_sales as records
        on records.user_id = open_orders.user_id and records.business_date < origin_date
    asof join shop_after_sales as shop on shop.business_date < origin_date
),
recent_contacts as (
    select open_orders.order_id, origin_date, count(*) as contacts_84d
    from open_orders
    join known_tickets using (user_id)
    where created_date < origin_date and created_date >= origin_date - 84
    group by open_orders.order_id, origin_date
),
-- How punctual a site was of late, and how much of what it still owes is late.
site_records as (
    select
        site_id,
        origin_date,
        avg(cast(delivered_date > promised_date as integer))
            filter (where delivered_date < origin_date and delivered_date >= origin_date - 14) as late_ratio,
        avg(delivered_date - promised_date)
            filter (where delivered_date < origin_date and delivered_date >= origin_date - 14) as days_late,
        avg(cast(promised_date < origin_date as integer))
            filter (where coalesce(delivered_date >= origin_date, true)) as open_late_ratio,
        count(*) filter (where business_date >= origin_date - 7) / count(*) as recent_ratio
    from order_facts
    join features.service_origins on business_date < origin_date and business_date >= origin_date - 28
    group by site_id, origin_date
),
-- How often orders of the eight weeks before led to a contact by then.
usual as (
    select
        origin_date,
        (count(distinct known_tickets.order_id) + 1) / (count(distinct order_facts.order_id) + 20) as contacted_ratio
    from features.service_origins
    join order_facts on business_date < origin_date and business_date >= origin_date - 56
    left join known_tickets on known_tickets.order_id = order_facts.order_id and created_date < origin_date
    group by origin_date
),
-- What of an order's journey was known then.
journeys as (
    select
        order_id,
        origin_date,
        case when shipped_date < origin_date then shipped_date end as shipped_date,
        case when delivered_date < origin_date then delivered_date end as delivered_date,
        promised_date
    from open_orders
)
select
    open_orders.order_id,
    open_orders.user_id,
    open_orders.product_id,
    open_orders.site_id,
    open_orders.origin_date,
    open_orders.cutoff_date,
    fold,
    case when fold <> 'serve' then cast(contacted.order_id is not null as integer) end as label_contacted,
    case when fold <> 'serve' then cast(
        coalesce(returned_date >= open_orders.origin_date and returned_date < label_end, false) as integer
    ) end as label_returned,
    cast(contacted_ratio as float) as base_contacted,
    cast(open_orders.origin_date - business_date as integer) as ctx_age_days,
    cast(open_orders.lines as integer) as ctx_lines,
    cast(open_orders.units as float) as ctx_units,
    cast(open_orders.spend as float) as ctx_spend,
    cast(cast(open_orders.discount as double) / nullif(cast(open_orders.spend + open_orders.discount as double), 0) as float)
        as ctx_discount_share,
    is_first_order as ctx_is_first_order,
    journeys.shipped_date is not null as ctx_is_shipped,
    journeys.delivered_date is not null as ctx_is_delivered,
    cast(open_orders.origin_date - journeys.shipped_date as integer) as ctx_days_since_shipping,
    cast(open_orders.origin_date - journeys.delivered_date as integer) as ctx_days_since_delivery,
    -- Days late so far; negative while there is time.
    cast(coalesce(journeys.delivered_date, open_orders.origin_date) - open_orders.promised_date as integer)
        as ctx_days_late,
    coalesce(journeys.delivered_date is null and open_orders.promised_date < open_orders.origin_date, false)
        as ctx_is_overdue,
    cast(open_orders.promised_date - business_date as integer) as ctx_promised_days,
    cast(product_levels.contact_ratio as float) as ctx_product_contact_ratio,
    cast(contact_ratio_max as float) as ctx_product_contact_ratio_max,
    cast(product_levels.return_ratio as float) as ctx_product_return_ratio,
    cast(return_ratio_max as float) as ctx_product_return_ratio_max,
    cast(rating_min as float) as ctx_product_rating_min,
    cast(user_records.contact_ratio as float) as ctx_user_contact_ratio,
    cast(user_records.return_ratio as float) as ctx_user_return_ratio,
    cast(user_records.contacts as integer) as ctx_contacts,
    cast(coalesce(contacts_84d, 0) as integer) as ctx_contacts_84d,
    cast(late_ratio as float) as ctx_site_late_ratio_14d,
    cast(days_late as float) as ctx_site_days_late_14d,
    cast(open_late_ratio as float) as ctx_site_open_late_ratio,
    cast(recent_ratio as float) as ctx_site_recent_order_ratio
from open_orders
join journeys using (order_id, origin_date)
join usual using (origin_date)
join product_levels using (order_id, origin_date)
join user_records using (order_id, origin_date)
left join site_records
    on site_records.site_id = open_orders.site_id and site_records.origin_date = open_orders.origin_date
left join recent_contacts
    on recent_contacts.order_id = open_orders.order_id and recent_contacts.origin_date = open_orders.origin_date
left join contacted
    on contacted.order_id = open_orders.order_id and contacted.origin_date = open_orders.origin_date
order by open_orders.origin_date, open_orders.order_id;
