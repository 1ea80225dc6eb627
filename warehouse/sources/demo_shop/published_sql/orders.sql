-- One row per product and site of which something is to be ordered now.
select product_id, site_id, cast(ceil(recommended_order_units) as bigint) as units
from predictions.replenishment_recommendations_latest
where recommended_order_units > 0
