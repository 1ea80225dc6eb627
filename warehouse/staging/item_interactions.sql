-- What the item-item model reads, by cut-off. First its items: the best-selling products, numbered from 0.
create or replace temp table similarity_items as
with sales as (
    select product_index, cutoff_date, sum(baskets) as baskets
    from product_days
    join features.recommendation_cutoffs on business_date < cutoff_date
    group by product_index, cutoff_date
)
select
    cutoff_date,
    product_index,
    cast(row_number() over (partition by cutoff_date order by baskets desc, product_index) - 1 as integer) as item
from sales
qualify item < getvariable('similarity_products');

-- Then one row per user and item with a purchase: the logarithm tames heavy buyers, age fades within two months.
create or replace temp table item_interactions as
select
    cutoff_date,
    user_index,
    item,
    cast(ln(1 + decayed_60d * exp((cast(getvariable('as_of_date') as date) - cutoff_date) / 60)) as float) as weight
from user_product_days
join similarity_items using (product_index)
where business_date < cutoff_date and (next_date is null or next_date >= cutoff_date);

-- And the candidates found otherwise that it can score too.
create or replace temp table similarity_candidates as
select cutoff_date, user_index, item
from (
    select cutoff_date, user_index, product_index from features.user_products
    union all
    select cutoff_date, user_index, product_index from popular_unseen
)
join similarity_items using (cutoff_date, product_index);
