-- One row per product of the catalogue: what people call it, and its id where others are called the same.
create or replace temp view titles as
select
    product_id,
    case
        when product_title is null then product_id
        when count(*) over (partition by product_title) > 1 then product_title || ' (' || product_id || ')'
        else product_title
    end as title,
    coalesce(category, 'without a category') as category
from raw.products
