-- One row per product on sale on the as-of date, with what decisions need to know of it.
create or replace temp table offered_products as
select
    products.product_id,
    catalogue.product_index,
    coalesce(products.product_title, products.product_id) as product_title,
    products.brand,
    products.category,
    products.unit_cost,
    coalesce(products.currency, getvariable('currency')) as currency,
    catalogue.is_recommendable,
    coalesce(products.is_price_locked, false) as is_price_locked,
    staging.business_date(discontinued_at) - getvariable('as_of_date') as days_on_sale
from raw.products
join staging.products as catalogue using (product_id)
where coalesce(staging.business_date(launched_at) <= getvariable('as_of_date'), true)
    and coalesce(staging.business_date(discontinued_at) > getvariable('as_of_date'), true)
