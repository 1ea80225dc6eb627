-- One row per user, candidate product and cut-off. Training cut-offs keep every positive and one in four of the
-- negatives, chosen by a hash of their keys; `sample_weight` makes up for it. What no generator finds is not added:
-- recall stays honest.
create or replace table samples.recommendation as
with bounds as (
    select cast(getvariable('horizon_days') as integer) as horizon
),
-- A product found twice counts for the first source.
candidates as (
    select user_index, product_index, cutoff_date, min(source_rank) as source_rank
    from (
        select user_index, product_index, cutoff_date, 1 as source_rank from features.user_products
        union all
        select user_index, product_index, cutoff_date, 2 from similarity_scores where is_candidate
        union all
        select user_index, product_index, cutoff_date, 3 from popular_unseen
    )
    group by user_index, product_index, cutoff_date
),
bought as (
    select distinct user_index, product_index, cutoff_date
    from user_product_days
    join features.recommendation_cutoffs on business_date >= cutoff_date, bounds
    where business_date < cutoff_date + horizon
),
sampled as (
    select
        candidates.*,
        fold,
        bought.user_index is not null as is_bought,
        subcategory_index,
        category_path_index
    from candidates
    join features.recommendation_cutoffs using (cutoff_date)
    join staging.users using (user_index)
    join staging.products using (product_index)
    left join bought using (user_index, product_index, cutoff_date)
    where fold <> 'train' or bought.user_index is not null or hash(user_id, product_id, cutoff_date) % 4 = 0
),
-- The user's taste as it stood at the cut-off.
tasted as (
    select
        sampled.*,
        subcategory.total_baskets as subcategory_baskets,
        sampled.cutoff_date - subcategory.business_date as subcategory_recency_days,
        category_path.total_baskets as category_path_baskets,
        sampled.cutoff_date - category_path.business_date as category_path_recency_days
    from sampled
    asof left join user_subcategory_days as subcategory
        on subcategory.user_index = sampled.user_index
        and subcategory.subcategory_index = sampled.subcategory_index
        and subcategory.business_date < sampled.cutoff_date
    asof left join user_category_path_days as category_path
        on category_path.user_index = sampled.user_index
        and category_path.category_path_index = sampled.category_path_index
        and category_path.business_date < sampled.cutoff_date
),
-- What the user looked at without buying is known only where the shop records behaviour.
watched as (
    select
        user_index,
        product_index,
        cutoff_date,
        sum(views) as views,
        sum(cart_adds) as cart_adds,
        bool_or(is_wished) as is_wished,
        min(cutoff_date - business_date) as recency_days
    from interest_days
    join features.recommendation_cutoffs
        on business_date < cutoff_date and business_date >= cutoff_date - 28
    group by user_index, product_index, cutoff_date
),
shoppers as (
    select
        user_index,
        cutoff_date,
        order_days,
        home_site_id,
        -- What one line usually costs the user.
        spend / (order_days * lines_mean) as line_spend
    from features.users
    join staging.users using (user_id)
),
offered as (
    select
        product_index,
        cutoff_date,
        cast(coalesce(popularity_7d, 0) as float) as popularity_7d,
        cast(ln(1 + coalesce(popularity_7d, 0)) as float) as log_popularity_7d,
        cast(ln(1 + coalesce(popularity_28d, 0)) as float) as log_popularity_28d,
        cast(repeat_ratio as float) as repeat_ratio,
        cast(lines_per_user as float) as lines_per_user,
        cast(ln(1 + users) as float) as log_users,
        cast(lines_trend_ratio as float) as trend_ratio,
        price,
        cast(coalesce(promoted_share, 0) as float) as promoted_share
    from features.products as known
    join features.recommendation_cutoffs using (cutoff_date)
    join staging.products as catalogue using (product_id)
    left join features.popular_products using (product_index, cutoff_date)
    left join promoted_shares as promoted
        on promoted.product_id = known.product_id and promoted.cutoff_date = known.cutoff_date
)
select
    users.user_id,
    products.product_id,
    tasted.cutoff_date,
    fold,
    home_site_id as site_id,
    cast(case when fold = 'train' and not is_bought then 4 else 1 end as float) as sample_weight,
    ['history', 'similar_products', 'popular'][source_rank] as source,
    source_rank > 1 as is_new,
    case when fold <> 'serve' then cast(is_bought as integer) end as label_bought_28d,
    coalesce(offered.popularity_7d, 0) as base_popularity,
    coalesce(history.decayed_120d, 0) as base_personal,
    similarity_scores.score as ctx_item_item_score,
    coalesce(log_popularity_7d, 0) as ctx_log_popularity_7d,
    coalesce(log_popularity_28d, 0) as ctx_log_popularity_28d,
    coalesce(history.baskets, 0) as ctx_baskets,
    cast(coalesce(history.baskets, 0) / order_days as float) as ctx_baskets_per_order_day,
    history.recency_days as ctx_recency_days,
    history.gap_mean_days as ctx_gap_mean_days,
    cast(history.recency_days / (history.gap_mean_days + 1) as float) as ctx_recency_over_gap,
    history.units_per_basket as ctx_units_per_basket,
    coalesce(history.decayed_30d, 0) as ctx_decayed_30d,
    coalesce(history.decayed_60d, 0) as ctx_decayed_60d,
    coalesce(history.decayed_120d, 0) as ctx_decayed_120d,
    coalesce(subcategory_baskets, 0) as ctx_subcategory_baskets,
    cast(coalesce(subcategory_baskets, 0) / order_days as float) as ctx_subcategory_per_order_day,
    cast(subcategory_recency_days as integer) as ctx_subcategory_recency_days,
    coalesce(category_path_baskets, 0) as ctx_category_path_baskets,
    cast(coalesce(category_path_baskets, 0) / order_days as float) as ctx_category_path_per_order_day,
    cast(category_path_recency_days as integer) as ctx_category_path_recency_days,
    repeat_ratio as ctx_product_repeat_ratio,
    lines_per_user as ctx_product_lines_per_user,
    log_users as ctx_log_product_users,
    trend_ratio as ctx_product_trend_ratio,
    cast(ln((price + 0.01) / (line_spend + 0.01)) as float) as ctx_log_price_over_usual,
    coalesce(promoted_share, 0) as ctx_promoted_share,
    cast(coalesce(views, 0) as integer) as ctx_views_28d,
    cast(coalesce(cart_adds, 0) as integer) as ctx_cart_adds_28d,
    coalesce(is_wished, false) as ctx_is_wished_28d,
    cast(watched.recency_days as integer) as ctx_interest_recency_days
from tasted
join staging.users using (user_index)
join staging.products using (product_index)
join shoppers using (user_index, cutoff_date)
left join features.user_products as history using (user_index, product_index, cutoff_date)
left join similarity_scores using (user_index, product_index, cutoff_date)
left join offered using (product_index, cutoff_date)
left join watched using (user_index, product_index, cutoff_date)
-- A fixed order: the model's batches follow it.
order by tasted.cutoff_date, tasted.user_index, tasted.product_index;
