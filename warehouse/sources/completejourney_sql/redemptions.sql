-- One row per coupon that a household redeemed on a day. Only the day is known: it stands as its first moment.
select
    concat_ws('-', campaign_id, household_id, coupon_upc, redemption_date::date) as redemption_id,
    campaign_id::varchar as campaign_id,
    household_id::varchar as user_id,
    coupon_upc::varchar as coupon_id,
    cj_midnight(redemption_date::date) as redeemed_at,
    input_name as _input_name
from cj_redemptions
join cj_wanted on cj_wanted.part::date = redemption_date::date
