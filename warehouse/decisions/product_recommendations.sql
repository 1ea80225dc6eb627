-- One row per list, user and position.
with shown as (
    select
        list_rows.*,
        prediction_row,
        coalesce(recommendation_pairs.purchase_probability, popular_products.purchase_probability)
            as purchase_probability
    from list_rows
    left join recommendation_pairs using (pair_row)
    left join popular_products on popular_products.product_index = list_rows.product_index
),
made_by as (
    select any_value(model_version) as model_version, bool_or(is_fallback) as is_fallback from predicted.recommendation
),
named as (
    select
        shown.*,
        getvariable('placements')[placement_number] as placement,
        coalesce(recommendation.user_id, 'everyone') as user_id,
        coalesce(source, 'popular') as source,
        offered_products.product_id,
        made_by.*,
        boost_rule,
        cap_rule
    from shown
    join offered_products using (product_index)
    left join predicted.recommendation on recommendation.rowid = prediction_row
    left join list_policies using (product_index, placement_number), made_by
)
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
    predicted_quality,
    nullif(
        concat_ws(', ', 'boost ' || boost_rule, 'cap ' || cap_rule, if(is_scarce, 'scarce', null)), ''
    ) as applied_rule,
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
    || round(100 * purchase_probability, 1)
    || if(
        user_id = 'everyone',
        '% of known users are expected to buy it within 28 days',
        '% likely to be bought within 28 days'
    )
    || coalesce('; lifted by ' || boost_rule, '')
    || if(is_scarce, '; scarce, so it is shown where it is worth most', '')
    || '.' as primary_reason
from named
left join unit_margins using (product_id)
left join in_stock_probabilities using (product_id)
left join product_qualities using (product_id)
