-- One row per product, shipping site and 7-day week of the last twelve before the as-of date in which something sold.
-- A table, for several queries read it; the first condition is wide and quick, the others exact.
create or replace temp table sold_weeks as
with standing_orders as (
    select order_id, staging.business_date(ordered_at) as business_date
    from raw.orders
    where ordered_at >= getvariable('as_of_date') - 86
        and status is distinct from 'cancelled' and cancelled_at is null
)
select
    order_lines.product_id,
    order_lines.ship_from_site_id as site_id,
    staging.week_start(business_date) as week_start,
    cast(sum(order_lines.quantity) as double) as units
from raw.order_lines
join standing_orders using (order_id)
where business_date < getvariable('as_of_date') and business_date >= getvariable('as_of_date') - 84
group by all
