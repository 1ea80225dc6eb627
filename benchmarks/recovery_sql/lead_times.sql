-- One row per line ordered in the first ten days after the night. A line that has not come by now took longer than p90.
with lines as (
    select
        purchase_order_line_id,
        any_value(product_id) as product_id,
        any_value(ordered_at) as ordered_at,
        max(received_at) as received_at
    from landed_purchase_orders
    where ordered_at >= getvariable('as_of_date') and ordered_at < getvariable('as_of_date') + 10
    group by purchase_order_line_id
)
select
    purchase_order_line_id,
    coalesce(date_diff('hour', ordered_at, received_at) / 24 <= lead_time_days_p90, false) as is_within_p90
from lines
join night.predictions.replenishment_recommendations using (product_id)
