-- One row per list, user and product that may be shown in it, before ranking. Lists are numbered for arrays.
create or replace temp table recommendation_candidates as
with allowed as (
    select recommendation.*, user_index, product_index
    from predicted.recommendation
    join staging.users using (user_id)
    join offered_products using (product_id)
    where is_recommendable
),
-- Where stock is known, users who want a product most come first, until what can be promised is gone.
rationed as (
    select allowed.*
    from allowed
    join stock on stock.product_id = allowed.product_id and stock.site_id = 'all'
    qualify sum(purchase_probability) over (
        partition by product_index order by purchase_probability desc, user_index
    ) <= any_value(available_units) over (partition by product_index)
),
in_stock as (
    select * from rationed
    union all
    select * from allowed where product_id not in (select product_id from stock)
),
personal as (
    select
        unnest(if(is_new, ['for_you', 'new_to_you'], ['for_you', 'buy_again'])) as placement,
        user_id,
        user_index,
        product_id,
        product_index,
        -- The model scores in log odds; odds are positive, so that a boost of 2 doubles them.
        exp(score) as score,
        purchase_probability,
        source,
        model_version,
        is_fallback
    from in_stock
),
-- Somebody unknown is taken for an average user: who is no candidate for a product counts as not buying it.
-- Decimals, so that the sum does not depend on the order in which threads add.
everyone as (
    select
        'popular' as placement,
        'everyone' as user_id,
        -1 as user_index,
        product_id,
        any_value(product_index) as product_index,
        cast(sum(cast(in_stock.purchase_probability as decimal(18, 12))) as double)
            / (select count(distinct user_id) from allowed) as purchase_probability,
        'popular' as source,
        any_value(model_version) as model_version,
        bool_or(is_fallback) as is_fallback
    from in_stock
    group by product_id
),
candidates as (
    select * from personal
    union all by name
    select *, purchase_probability as score from everyone
),
policies as (
    select
        product_id,
        placement,
        bool_or(action = 'exclude') as is_excluded,
        max(weight) filter (action = 'boost') as boost,
        max(rule_id) filter (action = 'boost') as boost_rule,
        max(weight) filter (action = 'cap') as cap,
        max(rule_id) filter (action = 'cap') as cap_rule,
        dense_rank() over (order by cap_rule) - 1 as cap_number
    from recommendation_policies
    group by all
)
select
    candidates.* replace (score * coalesce(boost, 1) as score),
    boost_rule,
    cap_rule,
    cap,
    if(cap_rule is null, -1, cap_number) as cap_number,
    4 * (user_index + 1) + list_position(['for_you', 'buy_again', 'new_to_you', 'popular'], placement) as list_number,
    -- Drawn anew each night, and the same when the night is run again.
    hash(getvariable('as_of_date'), user_id, product_id) / 2.0 ** 64 as lottery
from candidates
left join policies using (product_id, placement)
where not coalesce(is_excluded, false)
