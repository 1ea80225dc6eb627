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
),
histories as (
    select
        product_id,
        list_sort(list({
            'week_start': week_start, 'weeks': weeks, 'units': units, 'price': price, 'list_price': list_price
        })) as spans
    from spans
    group by product_id
)
select
    product_id,
    spans[1].week_start as first_week,
    flatten(list_transform(spans, lambda span: list_resize([span.units], span.weeks, 0))) as units,
    flatten(list_transform(spans, lambda span: list_resize([true], span.weeks, false))) as is_price_seen,
    -- Where nothing was sold, the last price still stands.
    flatten(list_transform(spans, lambda span: list_resize([span.price], span.weeks, span.price))) as price,
    flatten(list_transform(
        spans, lambda span: list_resize([span.list_price], span.weeks, span.list_price)
    )) as list_price
from histories;
