-- One row per product and site to order tonight, the fifteen that cost most if they are not.
select
    titles.title,
    titles.title || if(orders.site_id = 'all', '', ', ' || orders.site_id) as name,
    orders.product_id,
    orders.site_id,
    orders.inventory_position_units,
    orders.reorder_point_units,
    orders.order_up_to_units,
    orders.recommended_order_units,
    orders.order_by_date,
    orders.lead_time_days_p90,
    orders.stockout_probability,
    orders.expected_lost_margin,
    orders.binding_rule,
    orders.primary_reason
from tonight.predictions.replenishment_recommendations as orders
join titles using (product_id)
where orders.recommended_order_units > 0
order by
    orders.expected_lost_margin desc nulls last, orders.recommended_order_units desc, orders.product_id, orders.site_id
limit 15
