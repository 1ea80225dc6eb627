-- Where something is ordered, it and the position cover what is expected to sell, at the price charged, until it arrives.
with supplied as (
    select
        product_id,
        max(lead_time_days_p50) as lead_time_days,
        sum(inventory_position_units + recommended_order_units) as units,
        sum(recommended_order_units) as ordered_units,
        -- What is marked down may be held below its level by the supplier's multiple, which is another promise.
        bool_or(coalesce(contains(binding_rule, 'marked down'), false)) as is_marked_down,
        -- A person may order less.
        bool_or(decision_id is not null) as is_decided
    from predictions.replenishment_recommendations
    group by product_id
),
expected as (
    select
        product_id,
        sum(demand_units_mean * least(greatest(lead_time_days - (forecast_date - as_of_date), 0), 7) / 7) as units
    from predictions.demand_forecasts
    join supplied using (product_id)
    group by product_id
)
select format(
    '{}: {:.1f} in position and ordered, {:.1f} expected to sell until it arrives',
    product_id, supplied.units, expected.units
)
from supplied
join expected using (product_id)
join offered_products using (product_id)
join replenishment_policies using (product_id)
where ordered_units > 0
    and days_on_sale is null
    and not is_marked_down
    and not is_decided
    -- Whose rule aims at less accepts less than the mean.
    and coalesce(agreed_service_level, 1) >= 0.8
    and supplied.units < expected.units - 1e-6
