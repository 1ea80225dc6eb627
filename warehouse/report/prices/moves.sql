-- One row per price worth changing, the fifteen that are expected to bring most.
select
    titles.title,
    prices.product_id,
    prices.current_price,
    prices.recommended_price,
    prices.recommended_price / prices.current_price - 1 as change_ratio,
    prices.elasticity_p10,
    prices.elasticity_p50,
    prices.elasticity_p90,
    prices.expected_units_now,
    prices.expected_units_then,
    coalesce(
        prices.expected_margin_then - prices.expected_margin_now,
        prices.expected_revenue_then - prices.expected_revenue_now
    ) as gain,
    prices.binding_rule,
    prices.review_status,
    prices.primary_reason
from tonight.predictions.price_recommendations as prices
join titles using (product_id)
where prices.recommended_price <> prices.current_price
order by gain desc, prices.product_id
limit 15
