-- One row per product and week whose price came as the forecast assumed (a recommended price was not charged here): the
-- units that customers wanted, sold or not.
with weeks as (
    select
        product_id,
        forecast_date,
        demand_units_p90,
        price_assumed,
        cast(sum(uncensored_units) as double) as true_units,
        max(abs(price / price_assumed - 1)) as price_gap
    from night.predictions.demand_forecasts
    join true_demand using (product_id)
    where demand_date >= forecast_date and demand_date < forecast_date + cast(period_days as integer)
    group by all
)
select * from weeks where price_gap < 0.02
