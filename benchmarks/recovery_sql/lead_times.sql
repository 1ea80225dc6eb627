-- One row per line ordered in the first ten days after the night: whole days until it came, 999 where it has not by now.
with lines as (
    select
        purchase_order_line_id,
        any_value(supplier_id) as supplier_id,
        any_value(product_id) as product_id,
        any_value(ordered_at) as ordered_at,
        max(received_at) as received_at
    from landed_purchase_orders
    where ordered_at >= getvariable('as_of_date') and ordered_at < getvariable('as_of_date') + 10
    group by purchase_order_line_id
),
expected as (
    select product_id, any_value(lead_time_days_p90) as lead_time_days_p90
    from night.predictions.replenishment_recommendations
    group by product_id
)
select
    coalesce(date_diff('hour', ordered_at, received_at) // 24, 999) as days,
    expected.lead_time_days_p90,
    true_suppliers.lead_time_days_p90 as true_lead_time_days_p90
from lines
join expected using (product_id)
join true_suppliers using (supplier_id)
