-- One row per product and promotion known before as-of: when it runs, and the share of the shop's sales that it reaches.
-- A site weighs what it sold in the eight weeks before the promotion was announced, so that a share stays as it
-- was known then, whatever lands later. What was announced before the first cut-off is seen from there.
create or replace temp table promotion_reaches as
with bounds as (
    select
        cast(getvariable('as_of_date') as date) as as_of,
        cast(getvariable('horizon_days') as integer) as horizon,
        min(business_date) as first_date
    from known_lines
),
promotions as (
    select
        cast(row_number() over (order by promotion_id) as integer) as promotion_index,
        promotion_id,
        staging.business_date(coalesce(announced_at, starts_at)) as announced_date,
        staging.business_date(starts_at) as start_date,
        staging.business_date(ends_at) as end_date,
        coalesce(channel, 'unknown') as channel,
        coalesce(placement, 'unknown') as placement,
        discount_type,
        discount_value
    from raw.promotions
),
known as (
    select
        promotions.*,
        -- Weights change weekly, on the days on which the night's weeks begin.
        greatest(staging.week_start(announced_date), staging.first_cutoff(first_date)) as weighted_date,
        -- Recommendations look at every product; before their first cut-off only the demand curve looks back.
        start_date >= as_of - horizon * (2 + cast(getvariable('recommendation_train_cutoffs') as integer)) as is_recent
    from promotions, bounds
    where announced_date < as_of and end_date > first_date
),
site_days as (
    select site_id, business_date, count(*) as lines from known_lines where is_item group by all
),
-- In parts per billion: sums of whole numbers are exact.
site_weights as (
    select
        weighted_date,
        site_id,
        cast(round(1e9 * sum(lines) / sum(sum(lines)) over (partition by weighted_date)) as bigint) as weight
    from (select distinct weighted_date from known)
    join site_days on business_date < weighted_date and business_date >= weighted_date - 56
    group by weighted_date, site_id
),
promoted as (
    select product_id, promotion_index, weighted_date, site_ids
    from raw.promotion_products
    join known using (promotion_id)
    where is_recent
        or product_id in (select product_id from features.demand_population where is_supply_test)
),
reaches as (
    select product_id, promotion_index, sum(weight) / 1e9 as reach
    from (select * exclude site_ids, unnest(site_ids) as site_id from promoted)
    join site_weights using (weighted_date, site_id)
    group by product_id, promotion_index
    union all
    -- No list of sites: it runs everywhere.
    select product_id, promotion_index, 1.0
    from promoted
    where coalesce(len(site_ids), 0) = 0
)
select
    product_id,
    announced_date,
    start_date,
    end_date,
    channel,
    placement,
    discount_type,
    discount_value,
    cast(reach as float) as reach
from reaches
join known using (promotion_index)
where reach > 0;

-- One row per product, week and promotion that runs in it: the share of the shop's sales that it reaches, by the part of
-- the week for which it runs.
create or replace temp table promotion_weeks as
with bounds as (
    select
        cast(getvariable('as_of_date') as date) as as_of,
        cast(getvariable('horizon_days') as integer) as horizon,
        min(business_date) as first_date
    from known_lines
),
periods as (
    select distinct start_date, end_date from promotion_reaches
),
weeks as (
    select
        start_date,
        end_date,
        as_of + 7 * cast(week as integer) as week_start,
        (least(end_date, week_start + 7) - greatest(start_date, week_start)) / 7 as share_of_week
    from periods, bounds, range(-((as_of - first_date) // 7) - 1, horizon // 7) as weeks (week)
    where start_date < week_start + 7 and end_date > week_start
)
select
    product_id,
    week_start,
    announced_date,
    channel,
    placement,
    discount_type,
    discount_value,
    cast(reach * share_of_week as float) as reach
from promotion_reaches
join weeks using (start_date, end_date);
