-- One row per product and price at the shelf: from when, until when. Empty without price changes.
create or replace temp table shelf_prices as
select
    product_id,
    staging.local_time(valid_from) as starts_at,
    least(
        staging.local_time(valid_to),
        lead(staging.local_time(valid_from)) over (partition by product_id order by valid_from)
    ) as ends_at,
    price,
    list_price
from raw.price_changes
where price > 0
qualify starts_at < getvariable('as_of_date');

-- One row per product and week in which a price stood at the shelf for more than half of the time: the mean price over
-- that time, whatever was sold when. Prices of sold units alone say too little: cheap days sell more, and would make
-- every week look cheap. Empty without price changes.
create or replace temp table shelf_weeks as
with spells as (
    select
        product_id,
        starts_at,
        least(ends_at, getvariable('as_of_date')) as ends_at,
        cast(ln(price) as decimal(12, 9)) as log_price,
        list_price
    from shelf_prices
),
weeks as (
    select
        product_id,
        staging.week_start(cast(starts_at as date)) + 7 * cast(week as integer) as week_start,
        log_price,
        list_price,
        date_diff(
            'second',
            greatest(starts_at, cast(week_start as timestamp)),
            least(ends_at, cast(week_start + 7 as timestamp))
        ) as seconds
    from spells,
        range(0, 1 + (cast(ends_at as date) - staging.week_start(cast(starts_at as date))) // 7) as weeks_ahead (week)
)
select
    product_id,
    week_start,
    cast(exp(sum(seconds * log_price) / sum(seconds)) as float) as price,
    -- A change without a regular price says nothing about it.
    cast(sum(seconds * list_price) / sum(seconds) filter (where list_price is not null) as float) as list_price
from weeks
where seconds > 0
group by product_id, week_start
having sum(seconds) > 7 * 86400 / 2;
