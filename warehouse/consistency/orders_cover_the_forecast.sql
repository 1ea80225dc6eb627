-- Where something is ordered, it and the position cover what is expected to sell, at the price charged, until it arrives.
with expected as (
    select
        product_id,
        site_id,
        sum(
            demand_units_mean * least(greatest(lead_time_days_p50 - (forecast_date - as_of_date), 0), 7) / 7
        ) as units
    from predictions.demand_forecasts
    join predictions.replenishment_recommendations using (product_id, site_id, as_of_date)
    group by all
)
select format(
    '{} at {}: {:.1f} in position and {:.0f} ordered, {:.1f} expected to sell until it arrives',
    product_id, site_id, inventory_position_units, recommended_order_units, units
)
from predictions.replenishment_recommendations
join expected using (product_id, site_id)
join offered_products using (product_id)
join replenishment_policies using (product_id)
where recommended_order_units > 0
    and days_on_sale is null
    -- What is marked down may be held below its level by the supplier's multiple, which is another promise.
    and not coalesce(contains(binding_rule, 'marked down'), false)
    -- Whose rule aims at less accepts less than the mean.
    and coalesce(agreed_service_level, 1) >= 0.8
    and inventory_position_units + recommended_order_units < units - 1e-6
