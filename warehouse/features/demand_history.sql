-- One row per product, site and cut-off of the demand population: recent weekly demand of the whole shop ('all'),
-- divided by base_level. `week_1` is the last week before the cut-off.
create or replace table features.demand_history as
with bounds as (
    select min(week_start) as first_week from product_weeks
),
known as (
    select
        product_id,
        cutoff_date,
        products.subcategory,
        demand_units[1:(cutoff_date - product_panels.first_week) // 7] as units,
        -- As many weeks as the shop knows: before its first sale a product sold nothing.
        least((cutoff_date - bounds.first_week) // 7, 26) as weeks
    from features.demand_population
    join product_panels using (product_id)
    join staging.products using (product_id), bounds
),
recent as (
    select *, list_resize(list_reverse(units), weeks, 0) as latest_first
    from known
),
levels as (
    select *, 0.5 * list_avg(latest_first[1:8]) + 0.5 * list_avg(latest_first[1:13]) + 0.3 as base_level
    from recent
),
measures as (
    select
        product_id,
        cutoff_date,
        subcategory,
        base_level,
        latest_first,
        list_avg(latest_first[1:4]) as mean_4w,
        cast(latest_first[1] as decimal(18, 4)) as exact_week,
        cast(list_avg(latest_first[1:4]) as decimal(18, 4)) as exact_mean_4w,
        list_avg(latest_first[1:8]) as mean_8w,
        list_avg(latest_first[1:13]) as mean_13w,
        list_avg(latest_first[1:26]) as mean_26w,
        list_avg(units) as mean_ever,
        list_reduce(units, lambda level, week: 0.7 * level + 0.3 * week) as smoothed_30,
        list_reduce(units, lambda level, week: 0.9 * level + 0.1 * week) as smoothed_10,
        coalesce(list_stddev_pop(latest_first[1:13]), 0) as sd_13w,
        list_max(latest_first[1:8]) as max_8w,
        list_avg(list_transform(latest_first[1:13], lambda week: cast(week = 0 as integer))) as zero_share_13w,
        coalesce(list_position(list_transform(latest_first, lambda week: week > 0), true) - 1, weeks) as weeks_since_sale,
        len(units) as weeks_live
    from levels
)
select
    product_id,
    'all' as site_id,
    cutoff_date,
    base_level,
    ln(base_level) as log_level,
    cast(latest_first[1] / base_level as double) as week_1,
    cast(latest_first[2] / base_level as double) as week_2,
    cast(latest_first[3] / base_level as double) as week_3,
    cast(latest_first[4] / base_level as double) as week_4,
    cast(latest_first[5] / base_level as double) as week_5,
    cast(latest_first[6] / base_level as double) as week_6,
    cast(latest_first[7] / base_level as double) as week_7,
    cast(latest_first[8] / base_level as double) as week_8,
    mean_4w / base_level as mean_4w,
    mean_8w / base_level as mean_8w,
    mean_13w / base_level as mean_13w,
    mean_26w / base_level as mean_26w,
    mean_ever / base_level as mean_ever,
    cast(smoothed_30 / base_level as double) as smoothed_30,
    cast(smoothed_10 / base_level as double) as smoothed_10,
    sd_13w / base_level as sd_13w,
    sd_13w ** 2 / greatest(mean_13w, 0.1) as variance_over_mean_13w,
    cast(max_8w / base_level as double) as max_8w,
    zero_share_13w,
    weeks_since_sale,
    weeks_live,
    -- The last week against the last four, of the category and of the whole shop.
    cast(sum(exact_week) over category_week as double)
        / nullif(cast(sum(exact_mean_4w) over category_week as double), 0) as category_trend_ratio,
    cast(sum(exact_week) over shop_week as double)
        / nullif(cast(sum(exact_mean_4w) over shop_week as double), 0) as shop_trend_ratio
from measures
window
    category_week as (partition by cutoff_date, subcategory),
    shop_week as (partition by cutoff_date)
order by cutoff_date, product_id;
