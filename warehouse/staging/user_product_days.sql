-- One row per user, product and day with a purchase of items, and how things stood after it: totals so far, and
-- totals that count a purchase e^(-age / tau days), as of the night. Seen from a cut-off, the row that stands is the
-- last one before it (`next_date` tells), and its decayed totals times e^((as-of - cut-off) / tau).
create or replace temp table user_product_days as
with purchases as (
    select
        user_index,
        product_index,
        business_date,
        cast(count(distinct order_id) as integer) as baskets,
        cast(sum(quantity) as double) as units,
        business_date - cast(getvariable('as_of_date') as date) as days
    from known_lines
    where is_item and user_index is not null
    group by user_index, product_index, business_date
)
select
    user_index,
    product_index,
    business_date,
    baskets,
    cast(row_number() over pair as integer) as purchase_number,
    lead(business_date) over pair as next_date,
    first_value(business_date) over pair as first_date,
    cast(sum(baskets) over pair as integer) as total_baskets,
    sum(units) over pair as total_units,
    sum(baskets * exp(days / 30)) over pair as decayed_30d,
    sum(baskets * exp(days / 60)) over pair as decayed_60d,
    sum(baskets * exp(days / 120)) over pair as decayed_120d
from purchases
window pair as (partition by user_index, product_index order by business_date);
