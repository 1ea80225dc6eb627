-- A price whose elasticity is not identified stays as it is, unless a person decided it.
select format('{}: {} to {}', product_id, current_price, recommended_price)
from predictions.price_recommendations
where not is_elasticity_identified and recommended_price <> current_price and decision_id is null
