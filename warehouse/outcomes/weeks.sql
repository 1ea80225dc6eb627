-- One row per night, product and week foretold that has passed: the quantiles, what sold, for which share of the week
-- there was stock, the mean price at the shelf (empty where nothing sold), and the units that the curve says for it.
with days as (
    select
        product_id,
        business_date,
        sum(quantity) as units,
        sum(quantity * cast(sold_price as decimal(18, 4))) as value
    from known_lines
    where is_item
    group by product_id, business_date
),
weeks as (
    select run_id, demand_forecasts.as_of_date, due_nights.observed_until, demand_forecasts.* exclude (run_id, as_of_date)
    from kept.demand_forecasts
    join due_nights using (run_id)
    where forecast_date + 7 <= observed_until and site_id = 'all'
),
calendar as (
    select distinct forecast_date, product_id from weeks
),
sales as (
    select forecast_date, product_id, cast(sum(units) as double) as units, cast(sum(value) / sum(units) as double) as price
    from calendar
    join days using (product_id)
    where business_date >= forecast_date and business_date < forecast_date + 7
    group by forecast_date, product_id
),
unmet as (
    select forecast_date, product_id, cast(sum(unmet_ratio) as double) / 7 as unmet_ratio
    from calendar
    join stockout_days using (product_id)
    where business_date >= forecast_date and business_date < forecast_date + 7
    group by forecast_date, product_id
)
select
    run_id,
    weeks.forecast_date,
    coalesce(sales.units, 0) as units,
    greatest(1 - coalesce(unmet_ratio, 0), 0) as available_ratio,
    sales.price as price_charged,
    -- Prices further than e^1 from the assumed one are mistakes in the feed more often than offers.
    demand_units_mean * exp(
        coalesce(elasticity_p50 * greatest(least(ln(sales.price / nullif(price_assumed, 0)), 1), -1), 0)
    ) as units_at_price_charged,
    demand_units_mean,
    demand_units_p10,
    demand_units_p50,
    demand_units_p90,
    demand_units_p95,
    base_units,
    base_units_13w_p10,
    base_units_13w_p50,
    base_units_13w_p90,
    base_units_13w_p95
from weeks
left join sales using (forecast_date, product_id)
left join unmet using (forecast_date, product_id)
left join kept.price_recommendations using (run_id, product_id)
order by run_id, weeks.forecast_date, weeks.product_id
