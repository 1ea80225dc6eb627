-- One row per product of the demand population, cut-off and kind of week (without promotion, on display, in the
-- mailer): the usual shelf price as a share of the regular price, in the 26 weeks before. Two weeks of what is usual
-- for all products are added as a prior.
create or replace table features.discount_habits as
with promoted_weeks as (
    select
        product_id,
        week_start,
        -- Reached most of the shop, and how.
        case
            when sum(cast(reach as decimal(9, 6))) filter (where contains(channel, 'mailer')) >= 0.3 then 'mailer'
            when sum(cast(reach as decimal(9, 6))) >= 0.3 then 'display'
            else 'none'
        end as promotion_kind
    from promotion_weeks
    group by product_id, week_start
),
seen_weeks as (
    select
        product_id,
        week_start,
        coalesce(promotion_kind, 'none') as promotion_kind,
        cast(least(price / list_price, 1) as decimal(9, 6)) as price_ratio
    from product_weeks
    left join promoted_weeks using (product_id, week_start)
    where list_price > 0
),
habits as (
    select product_id, cutoff_date, promotion_kind, sum(price_ratio) as price_ratio, count(*) as weeks
    from features.demand_population
    join seen_weeks using (product_id)
    where week_start < cutoff_date and week_start >= cutoff_date - 182
    group by product_id, cutoff_date, promotion_kind
),
usual as (
    select cutoff_date, promotion_kind, sum(price_ratio) / sum(weeks) as price_ratio
    from habits
    group by cutoff_date, promotion_kind
)
select
    product_id,
    cutoff_date,
    promotion_kind,
    cast(coalesce(habits.price_ratio, 0) + 2 * usual.price_ratio as double) / (coalesce(weeks, 0) + 2) as price_ratio
from features.demand_population
join usual using (cutoff_date)
left join habits using (product_id, cutoff_date, promotion_kind);
