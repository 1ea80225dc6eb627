-- One row per order of the last 14 days before a cut-off that nobody has asked about yet: it may still lead to a
-- contact. Empty without tickets.
create or replace table samples.service_orders as
with bounds as (
    select
        cast(getvariable('horizon_days') as integer) as horizon,
        (select min(staging.business_date(created_at)) from raw.service_tickets) as first_ticket_date
),
deliveries as (
    select
        order_id,
        max(promised_delivery_date) as promised_date,
        max(staging.business_date(delivered_at)) as delivered_date,
        max(staging.business_date(shipped_at)) as shipped_date,
        bool_and(delivered_at is not null) as is_all_delivered,
        bool_and(shipped_at is not null) as is_all_shipped,
        min(staging.business_date(returned_at)) as returned_date
    from raw.order_lines
    group by order_id
),
orders as (
    select
        order_id,
        any_value(user_id) as user_id,
        any_value(business_date) as business_date,
        arg_max(site_id, (line_total, site_id)) as site_id,
        count(*) as lines,
        sum(quantity) as units,
        sum(line_total) as spend,
        sum(discount) as discount
    from known_lines
    where user_id is not null
    group by order_id
),
tickets as (
    select ticket_id, user_id, order_id, staging.business_date(created_at) as business_date
    from raw.service_tickets
    semi join staging.users using (user_id)
),
open_orders as (
    select orders.*, cutoff_date, fold, cutoff_date + horizon as label_end
    from orders
    join features.cutoffs
        on fold in ('serve', 'test', 'validation', 'train')
        and business_date < cutoff_date
        and business_date >= cutoff_date - 14, bounds
    where first_ticket_date < cutoff_date
        and not exists (
            from tickets where tickets.order_id = orders.order_id and tickets.business_date < cutoff_date
        )
),
contacted as (
    select order_id, cutoff_date
    from open_orders
    join tickets using (order_id)
    where tickets.business_date >= cutoff_date and tickets.business_date < label_end
    group by all
),
user_contacts as (
    select
        open_orders.user_id,
        cutoff_date,
        count(distinct ticket_id) as contacts,
        count(distinct ticket_id) filter (where tickets.business_date >= cutoff_date - 84) as contacts_84d
    from open_orders
    join tickets on tickets.user_id = open_orders.user_id and tickets.business_date < cutoff_date
    group by open_orders.user_id, cutoff_date
),
-- How often orders of the month before led to a contact by now.
usual as (
    select
        cutoff_date,
        (count(distinct tickets.order_id) + 1) / (count(distinct orders.order_id) + 20) as contacted_ratio
    from (select distinct cutoff_date from open_orders)
    join orders on orders.business_date < cutoff_date and orders.business_date >= cutoff_date - 56
    left join tickets on tickets.order_id = orders.order_id and tickets.business_date < cutoff_date
    group by cutoff_date
)
select
    open_orders.order_id,
    open_orders.user_id,
    open_orders.site_id,
    open_orders.cutoff_date,
    fold,
    case when fold <> 'serve' then cast(contacted.order_id is not null as integer) end as label_contacted,
    case when fold <> 'serve' then cast(
        coalesce(returned_date >= open_orders.cutoff_date and returned_date < label_end, false) as integer
    ) end as label_returned,
    cast(contacted_ratio as float) as base_contacted,
    cast(open_orders.cutoff_date - open_orders.business_date as integer) as ctx_age_days,
    cast(open_orders.lines as integer) as ctx_lines,
    cast(open_orders.units as float) as ctx_units,
    cast(open_orders.spend as float) as ctx_spend,
    cast(cast(open_orders.discount as double) / nullif(cast(open_orders.spend + open_orders.discount as double), 0) as float)
        as ctx_discount_share,
    coalesce(is_all_shipped and shipped_date < open_orders.cutoff_date, false) as ctx_is_shipped,
    coalesce(is_all_delivered and delivered_date < open_orders.cutoff_date, false) as ctx_is_delivered,
    -- Days late so far; negative while there is time.
    cast(
        case
            when is_all_delivered and delivered_date < open_orders.cutoff_date then delivered_date - promised_date
            else open_orders.cutoff_date - promised_date
        end as integer
    ) as ctx_days_late,
    cast(coalesce(contacts, 0) as integer) as ctx_contacts,
    cast(coalesce(contacts_84d, 0) as integer) as ctx_contacts_84d
from open_orders
join usual using (cutoff_date)
left join deliveries using (order_id)
left join contacted using (order_id, cutoff_date)
left join user_contacts using (user_id, cutoff_date)
order by cutoff_date, order_id;
