-- One row per running or coming campaign: how many of its users are worth the offer.
select
    promotion_id,
    count(*) as users,
    count(*) filter (is_recommended) as chosen,
    avg(redemption_probability) filter (is_recommended) as chosen_redeem,
    avg(redemption_probability) filter (not is_recommended) as others_redeem,
    avg(uplift) filter (is_recommended) as chosen_uplift,
    sum(expected_margin_gain) filter (is_recommended) as gain
from tonight.predictions.promotion_recommendations
group by promotion_id
order by gain desc nulls last, promotion_id
