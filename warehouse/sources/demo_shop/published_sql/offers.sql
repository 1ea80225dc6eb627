-- One row per user who should get the coupon of a campaign.
select user_id, promotion_id as campaign_id
from predictions.promotion_recommendations_latest
where is_recommended
