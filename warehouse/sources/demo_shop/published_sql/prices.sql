-- One row per product whose price the night changes without asking: the new price over the one it would have had.
select product_id, recommended_price / current_price as ratio
from predictions.price_recommendations_latest
where review_status = 'auto_apply' and current_price > 0
