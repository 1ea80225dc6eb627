-- One row per product and price of its grid, for the six price moves that are expected to bring most.
with moves as (
    select
        product_id,
        current_price,
        recommended_price,
        coalesce(expected_margin_then - expected_margin_now, expected_revenue_then - expected_revenue_now) as gain
    from tonight.predictions.price_recommendations
    where recommended_price <> current_price
    order by gain desc, product_id
    limit 6
)
select
    titles.title,
    row_number() over (order by moves.gain desc, responses.product_id, responses.price) as place,
    responses.price,
    responses.expected_units,
    coalesce(responses.expected_margin, responses.expected_revenue) as earned,
    responses.is_allowed,
    case responses.price when moves.recommended_price then 'recommended' when moves.current_price then 'now' end as role
from tonight.predictions.price_responses as responses
join moves using (product_id)
join titles using (product_id)
order by place
