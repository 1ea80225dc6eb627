-- The forecast of the coming week assumes the price that the shelf will show: the new one where it applies by itself.
with charged as (
    select
        product_id,
        if(review_status = 'auto_apply', recommended_price, current_price) as price
    from predictions.price_recommendations
),
forecasts as (
    -- Where sites differ, the price in force is the mean over the units that they sell.
    select
        product_id,
        coalesce(
            sum(price_assumed * demand_units_mean) / nullif(sum(demand_units_mean), 0), avg(price_assumed)
        ) as price
    from predictions.demand_forecasts
    where forecast_date = as_of_date and price_assumed is not null
    group by product_id
)
select format('{}: charged {:.4f}, forecast at {:.4f}', product_id, cast(charged.price as double), forecasts.price)
from charged
join forecasts using (product_id)
-- Prices of several sites are averaged over units that are rounded.
where abs(cast(charged.price as double) - forecasts.price) > greatest(0.001, 0.0001 * forecasts.price)
