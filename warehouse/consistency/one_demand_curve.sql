-- What pricing expects to sell in 28 days at the price that will be charged is what the forecasts add up to.
with charged as (
    select
        product_id,
        if(review_status = 'auto_apply', expected_units_then, expected_units_now) as units
    from predictions.price_recommendations
),
forecasts as (
    select product_id, sum(demand_units_mean) as units from predictions.demand_forecasts group by product_id
)
select format('{}: pricing expects {:.3f} units, the forecasts {:.3f}', product_id, charged.units, forecasts.units)
from charged
join forecasts using (product_id)
where abs(charged.units - forecasts.units) > 1e-6 * (1 + forecasts.units)
