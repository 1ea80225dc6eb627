-- One row per product and day after the night on which some shelf of it was empty: the units that customers wanted in
-- expectation, a seventh of the week's forecast, and the naive answer, the mean of what was sold in the four weeks before.
-- The forecast is for the price that the night assumed for the week; what it says of the price that was then charged is
-- on its demand curve.
with days as (
    select
        product_id,
        demand_date,
        sum(expected_units) as true_units,
        sum(sold_units) as sold_units,
        any_value(price) as price,
        bool_or(is_out_of_stock) as is_scarce
    from true_demand
    group by product_id, demand_date
),
naive as (
    select product_id, sum(sold_units) / 28 as naive_units
    from days
    where demand_date < getvariable('as_of_date') and demand_date >= getvariable('as_of_date') - 28
    group by product_id
)
select
    product_id,
    demand_date,
    true_units,
    demand_units_mean / period_days * coalesce((price / price_assumed) ** elasticity_p50, 1) as forecast_units,
    naive_units
from days
join naive using (product_id)
join night.predictions.demand_forecasts as forecasts using (product_id)
left join night.predictions.price_recommendations using (product_id)
where is_scarce and demand_date >= forecast_date and demand_date < forecast_date + cast(period_days as integer)
