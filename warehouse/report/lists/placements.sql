-- One row per list: whom it reaches, and how much of the assortment it shows.
with assortment as (
    select count(*) as products from titles
)
select
    placement,
    count(distinct user_id) filter (user_id <> 'everyone') as users,
    count(*) as positions,
    count(distinct product_id) as products,
    count(distinct product_id) / any_value(assortment.products) as assortment_ratio,
    avg(purchase_probability) as purchase_probability,
    sum(expected_margin) filter (user_id <> 'everyone') as expected_margin,
    avg(cast(applied_rule like '%scarce%' as integer)) as scarce_ratio,
    avg(cast(is_exploration as integer)) as exploration_ratio
from tonight.predictions.product_recommendations, assortment
group by placement
order by list_position(['for_you', 'buy_again', 'new_to_you', 'popular'], placement), placement
