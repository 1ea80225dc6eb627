-- Of a fixed choice of users, where there are many.
select promotion_recommendations.*, base_redeemed
from predictions.promotion_recommendations
left join samples.promotion
    on promotion.user_id = promotion_recommendations.user_id
    and promotion.campaign_id = promotion_recommendations.promotion_id
    and fold = 'serve'
qualify dense_rank() over (order by md5(promotion_recommendations.user_id)) <= getvariable('sample_rows')
