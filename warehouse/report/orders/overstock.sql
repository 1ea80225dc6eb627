-- One row per product and site that holds more than it needs, the ten with most units above the level to order up to.
select
    titles.title,
    orders.product_id,
    orders.site_id,
    orders.inventory_position_units,
    orders.order_up_to_units,
    orders.inventory_position_units - orders.order_up_to_units as excess_units
from tonight.predictions.replenishment_recommendations as orders
join titles using (product_id)
where orders.exception_type = 'overstock'
order by excess_units desc, orders.product_id, orders.site_id
limit 10
