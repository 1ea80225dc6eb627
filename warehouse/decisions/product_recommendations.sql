-- One row per list, user and position.
with everyone as (
    select list_rows.*, 'everyone' as user_id, 'popular' as source, purchase_probability
    from list_rows
    join popular_products using (product_index)
    where pair_row = -1
),
own as (
    select list_rows.*, user_id, source, recommendation_pairs.purchase_probability
    from list_rows
    join recommendation_pairs using (pair_row)
    join predicted.recommendation on recommendation.rowid = prediction_row
),
held_out_users as (
    select distinct user_id, user_index
    from recommendation_pairs
    join staging.users using (user_index)
    where is_holdout
),
-- Who is held out gets what unknown visitors get, as the only list.
held_out as (
    select
        everyone.* replace (
            1 as placement_number,
            row_number() over (partition by held_out_users.user_id order by rank) as rank,
            held_out_users.user_id as user_id,
            coalesce(pairs.purchase_probability, everyone.purchase_probability) as purchase_probability
        )
    from everyone
    cross join held_out_users
    left join recommendation_pairs as pairs
        on pairs.user_index = held_out_users.user_index and pairs.product_index = everyone.product_index
    join offered_products on offered_products.product_index = everyone.product_index
    anti join rejected_products
        on rejected_products.user_id = held_out_users.user_id
        and rejected_products.product_id = offered_products.product_id
),
shown as (
    select * from everyone
    union all by name select * from own
    union all by name select * from held_out
),
made_by as (
    select any_value(model_version) as model_version, bool_or(is_fallback) as is_fallback from predicted.recommendation
),
named as (
    select
        shown.*,
        getvariable('placements')[placement_number] as placement,
        offered_products.product_id,
        coalesce(is_holdout, false) as is_holdout,
        variant,
        made_by.*,
        boost_rule,
        cap_rule
    from shown
    join offered_products using (product_index)
    left join user_groups using (user_id)
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
    is_holdout,
    variant,
    model_version,
    is_fallback,
    case source
        when 'history' then 'own_history'
        when 'similar_products' then 'similar'
        else 'prior'
    end as evidence_level,
    case
        when is_holdout then 'Held out, so popular with everyone; '
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
