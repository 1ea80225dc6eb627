-- One row per product of the demand population: its weeks as lists, oldest first, without gaps.
-- Position k is the week that starts 7 (k - 1) days after `first_week`, the same day for all products.
create or replace table staging.product_panels as
with bounds as (
    select
        cast(getvariable('as_of_date') as date) as as_of,
        cast((cast(getvariable('as_of_date') as date) - min(business_date)) // 7 as integer) as weeks
    from staging.order_lines
),
-- Whole weeks only: the days before the first one would look like a slump.
weeks as (
    select as_of - 7 * (weeks - cast(position as integer)) as week_start, as_of - 7 * weeks as first_week
    from bounds, range(0, weeks) as positions (position)
),
grid as (
    select product_id, first_week, week_start
    from (select distinct product_id from features.demand_population)
    cross join weeks
),
filled as (
    select
        grid.*,
        cast(coalesce(units, 0) as double) as units,
        price is not null as is_price_seen,
        -- Where nothing was sold, the last price still stands.
        last_value(price ignore nulls) over history as price,
        last_value(list_price ignore nulls) over history as list_price
    from grid
    left join staging.product_weeks using (product_id, week_start)
    window history as (partition by product_id order by week_start)
)
select
    product_id,
    any_value(first_week) as first_week,
    list(cast(units as float) order by week_start) as units,
    list(is_price_seen order by week_start) as is_price_seen,
    list(cast(price as float) order by week_start) as price,
    list(cast(list_price as float) order by week_start) as list_price
from filled
group by product_id;
