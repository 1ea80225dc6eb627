-- One row per product of the demand population, cut-off and week with a promotion known at the cut-off, from
-- eight weeks before to the last week ahead: the share of sales that each kind of promotion reaches.
create or replace table features.demand_promotions as
with reaches as (
    select
        product_id,
        cutoff_date,
        week_start,
        sum(cast(reach as decimal(9, 6))) filter (where contains(channel, 'display')) as display,
        sum(cast(reach as decimal(9, 6))) filter (where contains(channel, 'mailer')) as mailer,
        sum(cast(reach as decimal(9, 6))) filter (where is_major_mailer) as mailer_major,
        sum(cast(reach as decimal(9, 6))) filter (
            where not contains(channel, 'display') and not contains(channel, 'mailer')
        ) as other,
        sum(cast(reach * ln(coalesce(lift, 1)) as decimal(9, 6))) as log_lift,
        max(discount_value) filter (where discount_type = 'percent' and reach > 0.5) as percent_off,
        max(discount_value) filter (where discount_type = 'amount' and reach > 0.5) as amount_off,
        min(discount_value) filter (where discount_type = 'fixed_price' and reach > 0.5) as fixed_price,
        sum(cast(reach * ln(1 - least(discount_value, 99) / 100) as decimal(12, 9)))
            filter (where discount_type = 'percent') as log_percent_off
    from features.demand_population
    join promotion_weeks using (product_id)
    left join features.placement_lifts using (channel, placement, cutoff_date)
    where announced_date < cutoff_date
        and week_start >= cutoff_date - 56
        and week_start < cutoff_date + cast(getvariable('horizon_days') as integer)
    group by product_id, cutoff_date, week_start
)
select
    product_id,
    cutoff_date,
    week_start,
    -- Two promotions may reach the same site: a share is never more than the whole.
    cast(least(coalesce(display, 0), 1) as decimal(9, 6)) as display,
    cast(least(coalesce(mailer, 0), 1) as decimal(9, 6)) as mailer,
    cast(least(coalesce(mailer_major, 0), 1) as decimal(9, 6)) as mailer_major,
    cast(least(coalesce(other, 0), 1) as decimal(9, 6)) as other,
    cast(log_lift as decimal(9, 6)) as log_lift,
    percent_off,
    amount_off,
    fixed_price,
    -- The mean over the week, of which a promotion may fill a part.
    cast(log_percent_off as double) as log_percent_off
from reaches;
