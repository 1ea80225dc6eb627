-- One row: how many prices move, and what they are expected to bring. Margins where costs are known, else revenue.
with moves as (
    select
        *,
        recommended_price <> current_price as is_move,
        coalesce(expected_margin_then - expected_margin_now, expected_revenue_then - expected_revenue_now) as gain
    from tonight.predictions.price_recommendations
)
select
    count(*) as products,
    count(*) filter (is_move) as moves,
    count(*) filter (is_move and review_status = 'auto_apply') as to_set,
    count(*) filter (is_move and review_status = 'needs_review') as to_review,
    count(*) filter (is_move and recommended_price > current_price) as dearer,
    count(*) filter (is_move and recommended_price < current_price) as cheaper,
    count(*) filter (not is_elasticity_identified) as unidentified,
    count(*) filter (is_move and binding_rule is not null) as stopped_short,
    sum(gain) filter (is_move) as gain,
    sum(gain) filter (is_move and review_status = 'auto_apply') as gain_of_set,
    coalesce(bool_or(expected_margin_now is not null), false) as is_margin,
    median(elasticity_p50) filter (is_elasticity_identified) as usual_elasticity
from moves
