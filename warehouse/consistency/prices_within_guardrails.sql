-- A price that is changed keeps to floor, ceiling, margin, largest change and lock of its narrowest valid rules, unless a person decided it.
select format('{}: {} to {}', product_id, current_price, recommended_price)
from predictions.price_recommendations
join offered_products using (product_id)
join pricing_guardrails using (product_id)
where recommended_price <> current_price
    and decision_id is null
    and (
        pricing_guardrails.is_price_locked
        or recommended_price < price_floor - 0.0001
        or recommended_price > price_ceiling + 0.0001
        or abs(recommended_price / current_price - 1) > maximum_change_ratio + 0.0001
        or (recommended_price - unit_cost) / recommended_price < minimum_margin_ratio - 0.0001
    )
