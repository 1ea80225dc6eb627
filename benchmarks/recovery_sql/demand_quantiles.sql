-- One row per product and week ahead: the units that customers wanted, sold or not, and the forecast's p90. The forecast is
-- for the price that the night assumed; what it says of the prices that were then charged is on its demand curve.
select
    product_id,
    forecast_date,
    cast(sum(uncensored_units) as double) as true_units,
    any_value(demand_units_p90) * coalesce(avg(price / price_assumed) ** any_value(elasticity_p50), 1) as demand_units_p90
from night.predictions.demand_forecasts
join true_demand using (product_id)
left join night.predictions.price_recommendations using (product_id)
where demand_date >= forecast_date and demand_date < forecast_date + cast(period_days as integer)
group by product_id, forecast_date
