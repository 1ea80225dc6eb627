-- Of a fixed choice of products, where there are many.
select
    demand_forecasts.*,
    base_units,
    base_units_13w_p10,
    base_units_13w_p50,
    base_units_13w_p90,
    base_units_13w_p95
from predictions.demand_forecasts
left join samples.demand
    on demand.product_id = demand_forecasts.product_id
    and demand.site_id = demand_forecasts.site_id
    and demand.calendar_date = demand_forecasts.forecast_date
    and fold = 'serve'
qualify dense_rank() over (order by md5(demand_forecasts.product_id)) <= getvariable('sample_rows')
