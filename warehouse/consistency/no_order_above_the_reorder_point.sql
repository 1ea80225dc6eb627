-- Nothing is bought while the position lies above the reorder point, unless a person decided it.
select format('{} at {}: order {:.0f}', product_id, site_id, recommended_order_units)
from predictions.replenishment_recommendations
where decision_id is null and recommended_order_units > 0 and inventory_position_units > reorder_point_units + 1e-6
