-- Items by day, which popularity is made of.
create or replace temp table product_days as
select product_index, business_date, cast(sum(baskets) as integer) as baskets
from user_product_days
group by product_index, business_date;

-- One row per item sold in the 84 days before a cut-off: how often, the latest counting most.
create or replace table features.popular_products as
with popularity as (
    select
        product_index,
        cutoff_date,
        cast(sum(cast(baskets * exp(-(cutoff_date - business_date) / 7) as decimal(18, 9))) as double) as popularity_7d,
        cast(sum(cast(baskets * exp(-(cutoff_date - business_date) / 28) as decimal(18, 9))) as double) as popularity_28d
    from product_days
    join features.recommendation_cutoffs on business_date < cutoff_date and business_date >= cutoff_date - 84
    group by product_index, cutoff_date
)
select
    product_id,
    product_index,
    cutoff_date,
    popularity_7d,
    popularity_28d,
    row_number() over (partition by cutoff_date order by popularity_7d desc, product_id) as popularity_rank
from popularity
join staging.products using (product_index);
