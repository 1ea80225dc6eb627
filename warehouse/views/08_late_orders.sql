-- One row per order whose customer waits longer than was promised, or will: a line has not arrived on its day, or has
-- not left because the product is out of stock and the supplier is late as well.
create or replace temp view late_orders as
with late_supplies as (
    select distinct product_id
    from raw.purchase_order_lines
    where expected_delivery_date < getvariable('as_of_date')
        and coalesce(staging.business_date(received_at) >= getvariable('as_of_date'), true)
),
backordered as (
    select product_id
    from stock
    semi join late_supplies using (product_id)
    where site_id = 'all' and available_units <= 0
),
waiting as (
    select order_id, product_id, promised_delivery_date, shipped_at
    from raw.order_lines
    where coalesce(staging.business_date(delivered_at) >= getvariable('as_of_date'), true)
        and promised_delivery_date is not null
)
select distinct order_id
from waiting
join raw.orders using (order_id)
where cancelled_at is null
    and staging.business_date(ordered_at) < getvariable('as_of_date')
    and (
        promised_delivery_date < getvariable('as_of_date')
        or (shipped_at is null and product_id in (select product_id from backordered))
    )
