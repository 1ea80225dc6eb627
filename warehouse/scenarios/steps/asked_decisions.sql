-- A price that is asked about is a person's decision that nobody has made yet: the night follows it as it follows those
-- of the feed. Products that are promoted keep what the night did to their price, so that a discount is one of the price
-- that would be charged.
create or replace table raw.decisions as
with standing as (
    select
        product_id,
        case
            when night.review_status <> 'auto_apply' then priced_products.current_price
            when night.current_price = priced_products.current_price then night.recommended_price
            else priced_products.current_price * night.recommended_price / night.current_price
        end as price
    from priced_products
    join night.predictions.price_recommendations as night using (product_id)
    where product_id in (select product_id from asked_promotions)
),
decided as (
    select product_id, price from asked_prices
    union all
    select product_id, price from standing
)
select * from night.raw.decisions
union all by name
select
    'what-if' as decision_id,
    'pricing' as head,
    product_id,
    'overridden' as action,
    cast(price as double) as value,
    timezone('UTC', timezone(getvariable('time_zone'), cast(getvariable('as_of_date') as timestamp)))
        - interval 1 second as decided_at,
    getvariable('as_of_date') + cast(getvariable('horizon_days') as integer) as valid_until
from decided;

create or replace temp table named_products as
select product_id from asked_prices
union
select product_id from asked_promotions
