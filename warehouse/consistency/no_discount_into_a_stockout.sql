-- Where stock is known, no price is cut when demand at the new price would empty it before the next receipt.
select format(
    '{}: {:.1f} units expected until the next receipt, {:.1f} in stock or on the way',
    product_id, expected_units_then / 28 * lead_time_days_p50, position_units
)
from predictions.price_recommendations
join replenishment_policies using (product_id)
join stock using (product_id)
where site_id = 'all'
    and recommended_price < current_price
    and expected_units_then / 28 * lead_time_days_p50 > position_units + 1e-6
