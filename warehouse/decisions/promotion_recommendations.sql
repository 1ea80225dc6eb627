-- One row per user and running or coming campaign. What an offer adds is known only where users who were not offered
-- campaigns can be compared with those who were (features.campaign_controls); there it is sent where it pays, elsewhere
-- to those who redeem more than usual.
with campaign_rates as (
    -- Decimals, so that the mean does not depend on the order in which threads add.
    select
        *,
        avg(cast(redemption_probability as decimal(18, 12))) over (partition by campaign_id) as usual_probability
    from predicted.promotion
),
offers as (
    select user_id, count(*) as earlier_offers
    from raw.campaign_targets
    join raw.campaigns using (campaign_id)
    where staging.business_date(starts_at) < getvariable('as_of_date')
    group by user_id
),
-- Offers that a person does not want made: to a user, or to nobody.
rejections as (
    select promotion_id as campaign_id, user_id, decision_id
    from standing_decisions
    where head = 'promotion' and action = 'rejected'
),
-- What of the shop's sales is margin; empty without costs.
margins as (
    select
        1 - cast(sum(quantity * unit_cost) / nullif(sum(line_total), 0) as double) as margin_ratio
    from staging.order_lines
    join raw.products using (product_id)
    where is_item and unit_cost is not null
),
-- A further order of the user is worth what one usually is; a redeemed coupon costs its value, needed or not.
gains as (
    select
        campaign_rates.*,
        coalesce(own.decision_id, everybody.decision_id) as decision_id,
        uplift * spend_mean * margin_ratio - redemption_probability * coalesce(discount_value, 0) as expected_margin_gain
    from campaign_rates
    join raw.campaigns using (campaign_id)
    left join features.users
        on users.user_id = campaign_rates.user_id and users.cutoff_date = getvariable('as_of_date')
    left join rejections as own
        on own.campaign_id = campaign_rates.campaign_id and own.user_id = campaign_rates.user_id
    left join rejections as everybody
        on everybody.campaign_id = campaign_rates.campaign_id and everybody.user_id is null, margins
)
select
    user_id,
    campaign_id as promotion_id,
    redemption_probability,
    uplift,
    expected_margin_gain,
    coalesce(expected_margin_gain > 0, redemption_probability >= usual_probability)
        and coalesce(has_marketing_consent, true)
        and not is_holdout
        and decision_id is null as is_recommended,
    is_holdout,
    variant,
    decision_id,
    model_version,
    is_fallback,
    if(earlier_offers > 0, 'own_history', 'similar') as evidence_level,
    format(
        'Redeems with {:.1f}% probability, {:.1f}% is usual in this campaign',
        100 * redemption_probability, 100 * usual_probability
    )
    || coalesce(
        format('; orders with {:+.1f} points more probability for it', 100 * uplift),
        '; what the offer adds is not known without a randomised holdout'
    )
    || coalesce(format(', worth {:.2f}', expected_margin_gain), '')
    || if(coalesce(has_marketing_consent, true), '', '; has not agreed to marketing')
    || if(is_holdout, '; held out, to know what offers add', '')
    || coalesce('; not offered by decision ' || decision_id, '')
    || '.' as primary_reason
from gains
join staging.users using (user_id)
join user_groups using (user_id)
left join offers using (user_id)
