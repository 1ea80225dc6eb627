-- One row per night, campaign that has ended and user who was offered it and had not redeemed yet: what was foretold and
-- whether it came. The window ends with the last of the night's campaigns.
with campaigns as (
    select campaign_id as promotion_id, staging.business_date(ends_at) as end_date from raw.campaigns
),
redeemers as (
    select campaign_id as promotion_id, user_id, min(staging.business_date(redeemed_at)) as redeemed_date
    from raw.redemptions
    where staging.business_date(redeemed_at) < getvariable('as_of_date')
    group by campaign_id, user_id
)
select
    run_id,
    max(end_date) over (partition by run_id) as window_end,
    promotion_id,
    redeemed_date is not null as has_redeemed,
    redemption_probability,
    base_redeemed
from kept.promotion_recommendations
join due_nights using (run_id)
join campaigns using (promotion_id)
semi join (select distinct campaign_id as promotion_id, user_id from raw.campaign_targets) using (promotion_id, user_id)
left join redeemers using (promotion_id, user_id)
where coalesce(redeemed_date >= due_nights.as_of_date, true)
qualify window_end <= getvariable('as_of_date')
order by run_id, promotion_id, user_id
