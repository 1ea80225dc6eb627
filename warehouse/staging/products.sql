-- One row per product of the catalogue, with its path split into levels. `product_index`, `subcategory_index` and
-- `category_path_index` are numbers that join faster than words.
create or replace table staging.products as
with levels as (
    select
        product_id,
        coalesce(category, 'UNKNOWN') as category,
        coalesce(string_split(category_path, ' > ')[2], category, 'UNKNOWN') as subcategory,
        coalesce(category_path, category, 'UNKNOWN') as category_path,
        coalesce(brand, 'UNKNOWN') as brand,
        coalesce(supplier_id, 'UNKNOWN') as supplier_id,
        -- A product without a category is a tender or a correction, nothing that one would recommend.
        coalesce(is_recommendable, true) and category is not null as is_recommendable
    from raw.products
)
select
    *,
    cast(row_number() over (order by product_id) - 1 as integer) as product_index,
    cast(dense_rank() over (order by category, subcategory) as integer) as subcategory_index,
    cast(dense_rank() over (order by category_path) as integer) as category_path_index
from levels;
