-- One row per coming week: order lines that the scenario's demand makes for each of the night's. Where the shop's demand
-- is as it was, exactly 1.
create or replace temp table ordering_ratios as
with weeks as (
    select
        night.forecast_date as week_start,
        sum(
            night.demand_units_mean / coalesce(units_per_line, 1) order by night.product_id, night.site_id
        ) as lines,
        sum(
            (scenario.demand_units_mean - night.demand_units_mean) / coalesce(units_per_line, 1)
            order by night.product_id, night.site_id
        ) as more_lines
    from night.predictions.demand_forecasts as night
    join predictions.demand_forecasts as scenario using (product_id, site_id, forecast_date)
    left join features.products
        on products.product_id = night.product_id and products.cutoff_date = getvariable('as_of_date')
    group by night.forecast_date
)
select week_start, greatest(least(1 + more_lines / nullif(lines, 0), 2), 0.5) as ratio
from weeks
