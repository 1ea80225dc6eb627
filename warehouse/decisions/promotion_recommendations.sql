-- One row per user and running or coming campaign.
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
)
select
    user_id,
    campaign_id as promotion_id,
    redemption_probability,
    -- What the offer adds cannot be told from whom it was sent to: that takes a randomised holdout.
    cast(null as double) as uplift,
    cast(null as double) as expected_margin_gain,
    redemption_probability >= usual_probability and coalesce(has_marketing_consent, true) as is_recommended,
    model_version,
    is_fallback,
    if(earlier_offers > 0, 'own_history', 'similar') as evidence_level,
    format(
        'Redeems with {:.1f}% probability, {:.1f}% is usual in this campaign',
        100 * redemption_probability, 100 * usual_probability
    )
    || if(coalesce(has_marketing_consent, true), '', '; has not agreed to marketing')
    || '; what the offer adds is not known without a randomised holdout.' as primary_reason
from campaign_rates
join staging.users using (user_id)
left join offers using (user_id)
