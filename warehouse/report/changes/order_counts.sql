-- One row: how the proposed orders differ from those of the night before.
with both_nights as (
    select
        coalesce(now.recommended_order_units, 0) as units,
        coalesce(earlier.recommended_order_units, 0) as units_before,
        now.inventory_position_units is not null or earlier.inventory_position_units is not null as is_known
    from tonight.predictions.replenishment_recommendations as now
    full join before.predictions.replenishment_recommendations as earlier using (product_id, site_id)
)
select
    coalesce(bool_or(is_known), false) as is_known,
    count(*) filter (units > 0) as orders,
    count(*) filter (units_before > 0) as orders_before,
    sum(units) as units,
    sum(units_before) as units_before,
    count(*) filter (units > 0 and units_before = 0) as new_orders,
    count(*) filter (units = 0 and units_before > 0) as gone_orders
from both_nights
