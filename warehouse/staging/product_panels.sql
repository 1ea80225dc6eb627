-- One row per product of the demand population: its weeks as lists without gaps, oldest first. Position k is the
-- week that starts 7 (k - 1) days after `first_week`, the week of the first sale. `units` is what was sold,
-- `demand_units` what would have been, had there been stock all week. Prices are those of the shelf, and where the shop
-- does not tell them, of what was sold.
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
),
panels as (
    select
        product_id,
        spans[1].week_start as first_week,
        flatten(list_transform(spans, lambda span: list_resize([span.units], span.weeks, 0))) as units,
        flatten(list_transform(spans, lambda span: list_resize([true], span.weeks, false))) as is_sold,
        -- Where nothing was sold, the last price still stands.
        flatten(list_transform(spans, lambda span: list_resize([span.price], span.weeks, span.price))) as price,
        flatten(list_transform(
            spans, lambda span: list_resize([span.list_price], span.weeks, span.list_price)
        )) as list_price
    from histories
),
weeks as (
    select
        product_id,
        first_week,
        unnest(units) as units,
        generate_subscripts(units, 1) as week_number,
        first_week + 7 * cast(week_number - 1 as integer) as week_start
    from panels
),
-- Sales at an empty shelf are less than demand. What the available part of a week sold stands for all of it; a week
-- with less than a quarter says too little, and the demand before it still stands.
demands as (
    select
        weeks.product_id,
        week_number,
        coalesce(available_ratio, 1) as available_ratio,
        if(coalesce(available_ratio, 1) >= 0.25, cast(units / coalesce(available_ratio, 1) as float), null) as known_units,
        coalesce(
            last_value(known_units ignore nulls) over (partition by weeks.product_id order by week_number), units
        ) as demand_units
    from weeks
    left join product_availability
        on product_availability.product_id = weeks.product_id and product_availability.week_start = weeks.week_start
),
demand_panels as (
    select
        product_id,
        list(demand_units order by week_number) as demand_units,
        list(available_ratio order by week_number) as available_ratio
    from demands
    group by product_id
),
-- Most shops tell no prices, and those that do tell them of every product.
shelf_panels as (
    select
        weeks.product_id,
        list(shelf_weeks.price order by week_number) as shelf_price,
        list(shelf_weeks.list_price order by week_number) as shelf_list_price
    from weeks
    semi join shelf_weeks as told on told.product_id = weeks.product_id
    left join shelf_weeks
        on shelf_weeks.product_id = weeks.product_id and shelf_weeks.week_start = weeks.week_start
    group by weeks.product_id
)
select
    product_id,
    first_week,
    units,
    demand_units,
    available_ratio,
    if(shelf_price is null, price, list_transform(
        list_zip(shelf_price, price), lambda prices: coalesce(prices[1], prices[2])
    )) as price,
    if(shelf_price is null, list_price, list_transform(
        list_zip(shelf_list_price, list_price), lambda prices: coalesce(prices[1], prices[2])
    )) as list_price,
    if(shelf_price is null, is_sold, list_transform(
        list_zip(shelf_price, is_sold), lambda known: known[1] is not null or known[2]
    )) as is_price_seen
from panels
join demand_panels using (product_id)
left join shelf_panels using (product_id);
