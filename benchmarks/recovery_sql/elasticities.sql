-- One row per product whose elasticity the night calls identified.
select product_id, true_products.elasticity as true_elasticity, elasticity_p10, elasticity_p50, elasticity_p90
from night.predictions.price_recommendations
join true_products using (product_id)
where is_elasticity_identified and true_products.elasticity is not null
