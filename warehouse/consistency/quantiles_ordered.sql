-- A higher quantile of demand, spend, contacts or elasticity is never below a lower one.
with quantiles as (
    select
        'demand of ' || product_id as subject,
        [demand_units_p10, demand_units_p50, demand_units_p90, demand_units_p95] as amounts
    from predictions.demand_forecasts
    union all
    select 'spend of ' || user_id, [expected_revenue_28d_p10, expected_revenue_28d_p50, expected_revenue_28d_p90]
    from predictions.user_profiles
    union all
    select 'elasticity of ' || product_id, [elasticity_p10, elasticity_p50, elasticity_p90]
    from predictions.price_recommendations
    union all
    select 'contacts by ' || channel, [contacts_p10, contacts_p50, contacts_p90] from predictions.service_forecasts
)
select format('{}: {}', subject, cast(amounts as varchar))
from quantiles
where list_filter(amounts, lambda amount: amount is not null)
    <> list_sort(list_filter(amounts, lambda amount: amount is not null))
