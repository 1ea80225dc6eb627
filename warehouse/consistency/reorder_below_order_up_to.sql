-- The position to order up to is never below the one at which to order.
select format('{} at {}: {:.1f} and {:.1f}', product_id, site_id, reorder_point_units, order_up_to_units)
from predictions.replenishment_recommendations
where reorder_point_units > order_up_to_units + 1e-6
