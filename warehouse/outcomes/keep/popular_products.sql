-- What a shop without a model would show to everybody: what has sold best of late.
select
    getvariable('run_id') as run_id,
    cast(getvariable('as_of_date') as date) as as_of_date,
    row_number() over (order by max(base_popularity) desc, product_id) as rank,
    product_id,
    true as is_fallback
from samples.recommendation
where fold = 'serve' and exists (from predictions.product_recommendations)
group by product_id
qualify rank <= 200
