-- One row per product of the catalogue; the obstacle, if any, is why a scenario cannot change its price.
create or replace temp table askable_products as
select
    products.product_id,
    products.category,
    offered_products.product_id is not null as is_offered,
    case
        when not is_offered then 'is not on sale on that day'
        when priced_products.product_id is null
            then 'has no price that could change: it is sold by weight, or has sold nothing in 13 weeks'
        when offered_products.is_price_locked then 'has a locked price (is_price_locked in the feed products)'
    end as obstacle
from raw.products
left join offered_products using (product_id)
left join priced_products using (product_id)
