-- One row: how far all lists together reach.
select
    count(distinct user_id) filter (user_id <> 'everyone') as users,
    count(distinct product_id) as products,
    (select count(*) from titles) as assortment,
    (select count(*) from tonight.predictions.user_profiles) as known_users,
    count(distinct product_id) filter (applied_rule like '%scarce%') as scarce_products,
    count(distinct product_id) filter (predicted_quality = 'bad') as bad_products
from tonight.predictions.product_recommendations
