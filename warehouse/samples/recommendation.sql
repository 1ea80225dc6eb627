-- One row per user, candidate product and cut-off. Training cut-offs keep every positive and one in four of the
-- negatives, chosen by a hash of their keys; `sample_weight` makes up for it. What no generator finds is not added:
-- recall stays honest.
create or replace table samples.recommendation as
with bounds as (
    select cast(getvariable('horizon_days') as integer) as horizon
),
-- A product found twice counts for the first source.
found as (
    select user_index, product_index, cutoff_date, 1 as source_rank from features.user_products
    union all
    select user_index, product_index, cutoff_date, 2 from features.similar_products where is_candidate
    union all
    select user_index, product_index, cutoff_date, 3 from staging.popular_unseen
),
candidates as (
    select user_index, product_index, cutoff_date, min(source_rank) as source_rank
    from found
    group by user_index, product_index, cutoff_date
),
bought as (
    select distinct user_index, product_index, cutoff_date
    from staging.user_product_days
    join features.recommendation_cutoffs on business_date >= cutoff_date, bounds
    where business_date < cutoff_date + horizon
),
labelled as (
    select
        candidates.*,
        recommendation_cutoffs.fold,
        bought.user_index is not null as is_bought
    from candidates
    join features.recommendation_cutoffs using (cutoff_date)
    left join bought using (user_index, product_index, cutoff_date)
),
sampled as (
    select *
    from labelled
    join staging.users using (user_index)
    join staging.products using (product_index)
    where fold <> 'train' or is_bought or hash(user_id, product_id, cutoff_date) % 4 = 0
),
user_norms as (
    select user_id, cutoff_date, order_days, home_site_id, cast(spend / (orders * lines_mean) as float) as line_value
    from features.users
),
planned as (
    select
        product_id,
        cutoff_date,
        cast(sum(cast(reach as decimal(9, 6))) / 4 as float) as promoted_share
    from staging.promotion_weeks
    join features.recommendation_cutoffs
        on announced_date < cutoff_date and week_start >= cutoff_date, bounds
    where week_start < cutoff_date + horizon
    group by product_id, cutoff_date
)
select
    sampled.user_id,
    sampled.product_id,
    sampled.cutoff_date,
    sampled.fold,
    user_norms.home_site_id as site_id,
    cast(case when fold = 'train' and not is_bought then 4 else 1 end as float) as sample_weight,
    ['history', 'similar_products', 'popular'][source_rank] as source,
    user_products.baskets is null as is_new,
    case when fold <> 'serve' then cast(is_bought as integer) end as label_bought_28d,
    cast(coalesce(popularity_7d, 0) as float) as base_popularity,
    coalesce(user_products.decayed_60d, 0) as base_personal,
    similar_products.score as ctx_item_item_score,
    similar_products.score is not null as ctx_has_item_item_score,
    cast(ln(1 + coalesce(popularity_7d, 0)) as float) as ctx_log_popularity_7d,
    cast(ln(1 + coalesce(popularity_28d, 0)) as float) as ctx_log_popularity_28d,
    coalesce(user_products.baskets, 0) as ctx_baskets,
    coalesce(user_products.baskets_28d, 0) as ctx_baskets_28d,
    cast(coalesce(user_products.baskets, 0) / user_norms.order_days as float) as ctx_baskets_per_order_day,
    user_products.recency_days as ctx_recency_days,
    user_products.gap_mean_days as ctx_gap_mean_days,
    cast(user_products.recency_days / (user_products.gap_mean_days + 1) as float) as ctx_recency_over_gap,
    user_products.units_per_basket as ctx_units_per_basket,
    coalesce(user_products.decayed_30d, 0) as ctx_decayed_30d,
    coalesce(user_products.decayed_60d, 0) as ctx_decayed_60d,
    coalesce(user_products.decayed_120d, 0) as ctx_decayed_120d,
    coalesce(user_subcategories.baskets, 0) as ctx_subcategory_baskets,
    cast(coalesce(user_subcategories.baskets, 0) / user_norms.order_days as float) as ctx_subcategory_per_order_day,
    user_subcategories.recency_days as ctx_subcategory_recency_days,
    coalesce(user_category_paths.baskets, 0) as ctx_category_path_baskets,
    cast(coalesce(user_category_paths.baskets, 0) / user_norms.order_days as float) as ctx_category_path_per_order_day,
    user_category_paths.recency_days as ctx_category_path_recency_days,
    cast(features_of.repeat_ratio as float) as ctx_product_repeat_ratio,
    cast(features_of.lines_per_user as float) as ctx_product_lines_per_user,
    cast(ln(1 + features_of.users) as float) as ctx_log_product_users,
    cast(features_of.lines_trend_ratio as float) as ctx_product_trend_ratio,
    cast(ln((features_of.price + 0.01) / (line_value + 0.01)) as float) as ctx_log_price_over_usual,
    coalesce(promoted_share, 0) as ctx_promoted_share
from sampled
join user_norms using (user_id, cutoff_date)
left join features.user_products using (user_index, product_index, cutoff_date)
left join features.similar_products using (user_index, product_index, cutoff_date)
left join features.popular_products using (product_index, cutoff_date)
left join features.user_subcategories using (user_index, cutoff_date, subcategory)
left join features.user_category_paths using (user_index, cutoff_date, category_path)
left join features.products as features_of
    on features_of.product_id = sampled.product_id and features_of.cutoff_date = sampled.cutoff_date
left join planned
    on planned.product_id = sampled.product_id and planned.cutoff_date = sampled.cutoff_date;
