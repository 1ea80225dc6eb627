-- What the item-item model reads, by cut-off. First its items: the best-selling products, numbered from 0.
create or replace table staging.similarity_items as
select
    cutoff_date,
    product_index,
    cast(row_number() over (partition by cutoff_date order by sum(baskets) desc, product_index) - 1 as integer) as item
from staging.user_product_days
join features.recommendation_cutoffs on business_date < cutoff_date
group by cutoff_date, product_index
qualify item < getvariable('similarity_products');

-- Then one row per user and item with a purchase: the logarithm tames heavy buyers, age fades within two months.
create or replace table staging.item_interactions as
select
    cutoff_date,
    user_index,
    item,
    cast(ln(1 + sum(cast(baskets * exp(-(cutoff_date - business_date) / 60) as decimal(18, 9)))) as float) as weight
from staging.user_product_days
join staging.similarity_items using (product_index)
where business_date < cutoff_date
group by cutoff_date, user_index, item;

-- And the candidates found otherwise that it can score too.
create or replace table staging.similarity_candidates as
select cutoff_date, user_index, item
from (
    select cutoff_date, user_index, product_index from features.user_products
    union all
    select cutoff_date, user_index, product_index from staging.popular_unseen
)
join staging.similarity_items using (cutoff_date, product_index);
