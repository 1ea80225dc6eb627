-- One row per product with a price: what to charge, and why not more or less.
with decided as (
    select
        *,
        cast(price_then as decimal(18, 4)) as recommended_price,
        case
            when decision_id is null or recommended_price = current_price then null
            when overruled_guardrail > 0 then names[overruled_guardrail]
            when not is_elasticity_identified then 'is_elasticity_identified'
        end as overruled,
        case
            when decision_id is null then names[guardrail]
            else 'decision ' || decision_id || coalesce(' above ' || overruled, '')
        end as binding_rule,
        unit_cost is not null as is_margin_known,
        if(unit_cost is not null, 'margin', 'revenue') as objective,
        format(
            'units in 28 days {:.1f} to {:.1f}, {} {:.2f} to {:.2f} (elasticity {:.2f})',
            units_now, units_then,
            objective, coalesce(margin_now, revenue_now), coalesce(margin_then, revenue_then), elasticity
        ) as effect
    from price_choices
    join priced_products using (product_row)
)
select
    product_id,
    currency,
    current_price,
    recommended_price,
    -- Of a normal distribution around the estimate; demand never rises with the price.
    least(elasticity - 1.2816 * elasticity_sd, 0) as elasticity_p10,
    least(elasticity, 0) as elasticity_p50,
    least(elasticity + 1.2816 * elasticity_sd, 0) as elasticity_p90,
    is_elasticity_identified,
    units_now as expected_units_now,
    units_then as expected_units_then,
    revenue_now as expected_revenue_now,
    revenue_then as expected_revenue_then,
    margin_now as expected_margin_now,
    margin_then as expected_margin_then,
    binding_rule,
    -- Without costs a larger revenue may be a smaller margin, so a person decides.
    case
        when decision_id is not null then if(recommended_price = current_price, 'hold', 'auto_apply')
        when not is_elasticity_identified then 'hold'
        when is_outside then 'needs_review'
        when recommended_price = current_price then 'hold'
        when is_margin_known and is_robust then 'auto_apply'
        else 'needs_review'
    end as review_status,
    decision_id,
    model_version,
    is_fallback,
    evidence_level,
    case
        when decision_id is not null and recommended_price = current_price then
            format('Held at {:.2f} by decision {} until {}.', current_price, decision_id, valid_until)
        when decision_id is not null then
            format('From {:.2f} to {:.2f} by decision {} until {}: ', current_price, recommended_price, decision_id, valid_until)
            || effect
            || coalesce('; it stands above ' || overruled, '')
            || format('; the model would charge {:.2f}.', price_modelled)
        when not is_elasticity_identified then format(
            'Held at {:.2f}: its own prices moved too little to know how demand reacts '
            || '(elasticity {:.2f}, 80% between {:.2f} and {:.2f}).',
            current_price, elasticity, elasticity - 1.2816 * elasticity_sd, least(elasticity + 1.2816 * elasticity_sd, 0)
        )
        when recommended_price = current_price then
            format('Held at {:.2f}: no allowed price earns more {}', current_price, objective)
            || coalesce('; ' || binding_rule || ' stops a better one.', '.')
        else
            format('From {:.2f} to {:.2f}: ', current_price, recommended_price)
            || effect
            || if(is_margin_known, '', '; judged by revenue, as the unit cost is not known')
            || coalesce('; ' || binding_rule || ' stops it from moving further.', '.')
    end as primary_reason
from decided
