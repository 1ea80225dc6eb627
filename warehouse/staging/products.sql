-- One row per product of the catalogue, with its path split into levels. `product_index` numbers them for arrays.
create or replace table staging.products as
select
    product_id,
    cast(row_number() over (order by product_id) - 1 as integer) as product_index,
    coalesce(category, 'UNKNOWN') as category,
    coalesce(string_split(category_path, ' > ')[2], category, 'UNKNOWN') as subcategory,
    coalesce(category_path, category, 'UNKNOWN') as category_path,
    coalesce(brand, 'UNKNOWN') as brand,
    -- A product without a category is a tender or a correction, nothing that one would recommend.
    coalesce(is_recommendable, true) and category is not null as is_recommendable
from raw.products;
