-- One row per product whose proposed price is another one than the night before, the eight that bring most.
select
    titles.title,
    earlier.current_price as price_before,
    earlier.recommended_price as proposal_before,
    now.current_price,
    now.recommended_price,
    coalesce(now.expected_margin_then - now.expected_margin_now, now.expected_revenue_then - now.expected_revenue_now)
        as gain
from tonight.predictions.price_recommendations as now
join before.predictions.price_recommendations as earlier using (product_id)
join titles using (product_id)
where now.recommended_price <> now.current_price and now.recommended_price <> earlier.recommended_price
order by gain desc, product_id
limit 8
