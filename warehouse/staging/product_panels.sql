-- One row per product of the demand population: its weeks as lists without gaps, oldest first. Position k is the
-- week that starts 7 (k - 1) days after `first_week`, the week of the first sale.
create or replace temp table product_panels as
with spans as (
    select
        product_id,
        week_start,
        -- A sale's week, and those after it without one.
        (coalesce(next_week_start, cast(getvariable('as_of_date') as date)) - week_start) // 7 as weeks,
        cast(units as float) as units,
        cast(price as float) as price,
        cast(list_price as float) as list_price
    from product_weeks
    where product_id in (select product_id from features.demand_population)
)
select
    product_id,
    min(week_start) as first_week,
    flatten(list(list_resize([units], weeks, 0) order by week_start)) as units,
    flatten(list(list_resize([true], weeks, false) order by week_start)) as is_price_seen,
    -- Where nothing was sold, the last price still stands.
    flatten(list(list_resize([price], weeks, price) order by week_start)) as price,
    flatten(list(list_resize([list_price], weeks, list_price) order by week_start)) as list_price
from spans
group by product_id;
