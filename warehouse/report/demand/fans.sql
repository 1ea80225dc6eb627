-- One row per week of the eight products (and sites) that are expected to sell most: twelve weeks as sold, four ahead.
with leaders as (
    select product_id, site_id, sum(demand_units_mean) as expected_units
    from tonight.predictions.demand_forecasts
    group by all
    order by expected_units desc, product_id, site_id
    limit 8
),
named as (
    select
        leaders.*,
        titles.title || if(leaders.site_id = 'all', '', ', ' || leaders.site_id) as name,
        row_number() over (order by expected_units desc, product_id, leaders.site_id) as place
    from leaders
    join titles using (product_id)
),
weeks as (
    select cast(getvariable('as_of_date') - 7 * cast(number as integer) as date) as week_start
    from range(1, 13) as numbers (number)
),
sold as (
    select
        place,
        name,
        weeks.week_start,
        coalesce(sum(units), 0) as sold_units,
        cast(null as double) as units_p10,
        cast(null as double) as units_p50,
        cast(null as double) as units_p90,
        cast(null as double) as price_assumed,
        false as is_promoted
    from named
    cross join weeks
    left join sold_weeks
        on sold_weeks.product_id = named.product_id
        and sold_weeks.week_start = weeks.week_start
        and (named.site_id = 'all' or sold_weeks.site_id = named.site_id)
    group by all
),
ahead as (
    select
        place,
        name,
        forecast_date as week_start,
        cast(null as double) as sold_units,
        demand_units_p10 as units_p10,
        demand_units_p50 as units_p50,
        demand_units_p90 as units_p90,
        cast(price_assumed as double) as price_assumed,
        is_promoted
    from tonight.predictions.demand_forecasts
    join named using (product_id, site_id)
)
from (from sold union all by name from ahead)
order by place, week_start
