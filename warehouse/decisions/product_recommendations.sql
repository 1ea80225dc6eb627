-- One row per list, user and position.
select
    placement,
    user_id,
    rank,
    product_id,
    score,
    purchase_probability,
    source as strategy,
    purchase_probability * unit_margin as expected_margin,
    in_stock_probability,
    -- Judged once outcomes have been recorded.
    cast(null as varchar) as predicted_quality,
    nullif(concat_ws(', ', 'boost ' || boost_rule, 'cap ' || cap_rule), '') as applied_rule,
    is_exploration,
    model_version,
    is_fallback,
    case source
        when 'history' then 'own_history'
        when 'similar_products' then 'similar'
        else 'prior'
    end as evidence_level,
    case
        when is_exploration then 'Shown to learn; '
        when user_id = 'everyone' then 'Popular; '
        when source = 'history' then 'Bought before; '
        when source = 'similar_products' then 'Goes with what the user buys; '
        else 'Popular and new to the user; '
    end
    || if(
        user_id = 'everyone',
        format('{:.1f}% of known users are expected to buy it within 28 days', 100 * purchase_probability),
        format('{:.1f}% likely to be bought within 28 days', 100 * purchase_probability)
    )
    || coalesce('; lifted by ' || boost_rule, '')
    || '.' as primary_reason
from recommendation_ranks
join recommendation_candidates on recommendation_candidates.rowid = candidate_row
left join unit_margins using (product_id)
left join in_stock_probabilities using (product_id)
