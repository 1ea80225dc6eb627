-- What is marked down or ends soon is bought only up to its need at that price, and not at all if it would arrive too late; people may.
with marked_down as (
    select product_id, 'marked down' as why
    from predictions.price_recommendations
    where recommended_price < current_price and review_status = 'auto_apply'
    union all
    select product_id, 'ending' from offered_products where days_on_sale is not null
)
select format(
    '{} at {}, {}: {:.0f} in position and {:.0f} ordered, {:.1f} needed',
    product_id, site_id, why, inventory_position_units, recommended_order_units, order_up_to_units
)
from predictions.replenishment_recommendations
join marked_down using (product_id)
join offered_products using (product_id)
where recommended_order_units > 0
    and replenishment_recommendations.decision_id is null
    and (
        inventory_position_units + recommended_order_units > order_up_to_units + 1e-6
        or lead_time_days_p50 >= days_on_sale
    )
