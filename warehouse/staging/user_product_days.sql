-- One row per user, product and day with a purchase of items, numbered within user and product.
-- `days_since_previous` looks back only, so every row is as it was on its day.
create or replace table staging.user_product_days as
with purchases as (
    select
        user_index,
        product_index,
        business_date,
        cast(count(distinct order_id) as integer) as baskets,
        sum(quantity) as units
    from staging.order_lines
    where is_item
    group by all
)
select
    *,
    cast(row_number() over pair as integer) as purchase_number,
    business_date - lag(business_date) over pair as days_since_previous
from purchases
window pair as (partition by user_index, product_index order by business_date);
