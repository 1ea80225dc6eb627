-- One row per product that is named in the scenario or whose demand it changes: sums over the horizon, all its weeks.
with changed as (
    select product_id from scenario_demand
    union
    select product_id from named_products
),
ordered as (
    select product_id, sum(recommended_order_units order by site_id) as units
    from night.predictions.replenishment_recommendations
    group by product_id
),
to_order as (
    select product_id, sum(recommended_order_units order by site_id) as units
    from predictions.replenishment_recommendations
    group by product_id
),
sums as (
    select
        product_id,
        any_value(product_title) as product_title,
        arg_min(price_night, forecast_date) as price_night,
        arg_min(price_scenario, forecast_date) as price_scenario,
        sum(demand_units_night order by forecast_date, site_id) as demand_units_night,
        sum(demand_units_scenario order by forecast_date, site_id) as demand_units_scenario,
        sum(revenue_night order by forecast_date, site_id) as revenue_night,
        sum(revenue_scenario order by forecast_date, site_id) as revenue_scenario,
        sum(margin_night order by forecast_date, site_id) as margin_night,
        sum(margin_scenario order by forecast_date, site_id) as margin_scenario
    from scenario_weeks
    semi join changed using (product_id)
    group by product_id
)
select
    sums.*,
    cast(revenue_night / nullif(demand_units_night, 0) as decimal(18, 4)) as mean_price_night,
    cast(revenue_scenario / nullif(demand_units_scenario, 0) as decimal(18, 4)) as mean_price_scenario,
    ordered.units as order_units_night,
    to_order.units as order_units_scenario,
    elasticity_p10,
    elasticity_p50,
    elasticity_p90,
    is_elasticity_identified,
    overruled as overruled_guardrail
from sums
left join predictions.price_recommendations using (product_id)
left join ops.decision_effects as effects
    on effects.run_id = getvariable('run_id')
    and effects.table_name = 'price_recommendations'
    and effects.object_id = product_id
left join ordered using (product_id)
left join to_order using (product_id)
