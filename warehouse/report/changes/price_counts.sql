-- One row: how the proposed prices, and those on the shelf, differ from the night before.
with both_nights as (
    select
        coalesce(now.current_price <> earlier.current_price, false) as is_shelf_moved,
        coalesce(now.recommended_price <> now.current_price, false) as is_proposed,
        coalesce(earlier.recommended_price <> earlier.current_price, false) as was_proposed,
        now.recommended_price is distinct from earlier.recommended_price as is_other,
        coalesce(now.current_price = earlier.recommended_price, false) as is_followed
    from tonight.predictions.price_recommendations as now
    full join before.predictions.price_recommendations as earlier using (product_id)
)
select
    count(*) filter (is_shelf_moved) as shelf_moved,
    count(*) filter (was_proposed) as proposed_before,
    count(*) filter (was_proposed and is_followed) as followed,
    count(*) filter (is_proposed and not was_proposed) as new_proposals,
    count(*) filter (was_proposed and not is_proposed and not is_followed) as withdrawn,
    count(*) filter (is_proposed and was_proposed and is_other) as other_price
from both_nights
