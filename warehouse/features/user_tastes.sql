-- Two tables with one row per user, cut-off and part of the assortment that the user has bought from: by
-- subcategory, and by the full path of the category.
create or replace table features.user_subcategories as
select
    user_index,
    cutoff_date,
    subcategory,
    cast(sum(baskets) as float) as baskets,
    cast(min(cutoff_date - business_date) as integer) as recency_days
from staging.user_product_days
join staging.products using (product_index)
join features.recommendation_cutoffs on business_date < cutoff_date
group by user_index, cutoff_date, subcategory;

create or replace table features.user_category_paths as
select
    user_index,
    cutoff_date,
    category_path,
    cast(sum(baskets) as float) as baskets,
    cast(min(cutoff_date - business_date) as integer) as recency_days
from staging.user_product_days
join staging.products using (product_index)
join features.recommendation_cutoffs on business_date < cutoff_date
group by user_index, cutoff_date, category_path;
