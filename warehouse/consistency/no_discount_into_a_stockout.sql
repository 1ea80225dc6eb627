-- Where stock is known, no price is cut, but by a person, when demand at the new price would empty it before the next receipt.
with cuts as (
    select product_id, expected_units_then / 28 as daily_units
    from predictions.price_recommendations
    where recommended_price < current_price and decision_id is null
)
select format(
    '{}: {:.1f} units expected in a week and {:.1f} until an order arrives; {:.1f} there in a week, {:.1f} on order as well',
    product_id,
    7 * daily_units,
    lead_time_days_p50 * daily_units,
    available_units + arriving_7d_units,
    position_units
)
from cuts
join replenishment_policies using (product_id)
join stock using (product_id)
where site_id = 'all'
    and (
        lead_time_days_p50 * daily_units > position_units + 1e-6
        or 7 * daily_units > available_units + arriving_7d_units + 1e-6
    )
