-- One row per product, site and coming week, of the night and of the scenario. Money is counted as the night counts it,
-- at the price that a week is forecast for; where the scenario promotes only some of a week's days, at their mean price.
create or replace temp table scenario_weeks as
with weeks as (
    select
        product_id,
        site_id,
        forecast_date,
        night.price_assumed as price_night,
        cast(scenario.price_assumed * coalesce(mean_ratio, 1) as decimal(18, 4)) as price_scenario,
        night.demand_units_mean as demand_units_night,
        scenario.demand_units_mean as demand_units_scenario,
        night.demand_units_p10 as demand_units_p10_night,
        scenario.demand_units_p10 as demand_units_p10_scenario,
        night.demand_units_p90 as demand_units_p90_night,
        scenario.demand_units_p90 as demand_units_p90_scenario
    from night.predictions.demand_forecasts as night
    join predictions.demand_forecasts as scenario using (product_id, site_id, forecast_date)
    left join promoted_weeks using (product_id, site_id, forecast_date)
)
select
    weeks.*,
    product_title,
    demand_units_night * cast(price_night as double) as revenue_night,
    demand_units_scenario * cast(price_scenario as double) as revenue_scenario,
    revenue_night - demand_units_night * cast(unit_cost as double) as margin_night,
    revenue_scenario - demand_units_scenario * cast(unit_cost as double) as margin_scenario
from weeks
left join offered_products using (product_id)
