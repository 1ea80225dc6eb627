-- One row per known user: who the user is to the shop, and what to expect.
with habits as (
    select *, recency_days / coalesce(gap_mean_days, 28) as silence
    from features.users
    where cutoff_date = getvariable('as_of_date')
),
interests as (
    select
        user_id,
        list({'category': category, 'share': share} order by share desc, category)[:5] as interests
    from (
        select
            user_id,
            unnest(category_shares) as share,
            generate_subscripts(category_shares, 1) - 1 as category_index
        from predicted.profile
    )
    join features.categories using (category_index)
    where share > 0
    group by user_id
),
ranked as (
    select *, ntile(10) over (order by expected_revenue_28d, user_id) as purchasing_power_decile
    from predicted.profile
)
select
    user_id,
    getvariable('currency') as currency,
    expected_revenue_28d,
    expected_revenue_28d_p10,
    expected_revenue_28d_p50,
    expected_revenue_28d_p90,
    order_probability_7d,
    order_probability_28d,
    churn_probability_90d,
    purchasing_power_decile,
    interests,
    discount_sensitivity,
    contact_probability_28d,
    case
        when purchasing_power_decile >= 8 then 'high value'
        when purchasing_power_decile >= 4 then 'medium value'
        else 'low value'
    end
    || case
        when order_days_84d >= 24 then ', frequent'
        when order_days_84d >= 6 then ', regular'
        when order_days_84d >= 1 then ', occasional'
        else ', dormant'
    end as segment_name,
    -- Silence is measured against the user's own rhythm: three weeks mean little to a monthly shopper.
    case
        when tenure_days <= 28 then 'new'
        when silence <= 2 then 'active'
        when silence <= 4 then 'cooling'
        when silence <= 8 then 'lapsing'
        else 'lapsed'
    end as lifecycle_stage,
    coalesce(has_marketing_consent, true) as is_contactable,
    is_holdout,
    variant,
    model_version,
    is_fallback,
    if(order_days >= 3, 'own_history', 'similar') as evidence_level,
    format('Last order {} days ago', recency_days)
    || coalesce(format(', usually one every {:.0f} days', gap_mean_days), ', the only one so far')
    || format(
        '; spent {:.0f} {} in the last 84 days, expected {:.0f} in the next 28.',
        spend_84d, getvariable('currency'), expected_revenue_28d
    ) as primary_reason
from ranked
join staging.users using (user_id)
join user_groups using (user_id)
join habits using (user_id)
left join interests using (user_id)
