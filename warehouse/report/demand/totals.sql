-- One row: what the shop is expected to sell in the next four weeks beside what it sold in the last four.
with forecast as (
    select
        sum(demand_units_mean) as expected_units,
        count(distinct product_id) as products,
        count(distinct product_id) filter (is_promoted) as promoted_products,
        min(forecast_date) as first_date,
        max(forecast_date + cast(period_days as integer)) as end_date
    from tonight.predictions.demand_forecasts
),
sold as (
    select sum(units) as sold_units
    from sold_weeks
    where week_start >= getvariable('as_of_date') - 28
        and product_id in (select product_id from tonight.predictions.demand_forecasts)
)
select *, expected_units / nullif(sold_units, 0) - 1 as change_ratio
from forecast, sold
