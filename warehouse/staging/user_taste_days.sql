-- One row per user, part of the assortment and day with a purchase there, with the baskets so far: once by
-- subcategory and once by the full path of the category.
create or replace temp table user_subcategory_days as
select
    user_index,
    subcategory_index,
    business_date,
    cast(sum(sum(baskets)) over (
        partition by user_index, subcategory_index order by business_date
    ) as integer) as total_baskets
from user_product_days
join staging.products using (product_index)
group by user_index, subcategory_index, business_date;

create or replace temp table user_category_path_days as
select
    user_index,
    category_path_index,
    business_date,
    cast(sum(sum(baskets)) over (
        partition by user_index, category_path_index order by business_date
    ) as integer) as total_baskets
from user_product_days
join staging.products using (product_index)
group by user_index, category_path_index, business_date;
