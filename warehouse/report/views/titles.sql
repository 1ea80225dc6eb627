-- One row per product of the catalogue: what people call it.
create or replace temp view titles as
select
    product_id,
    coalesce(product_title, product_id) as title,
    coalesce(category, 'without a category') as category
from raw.products
