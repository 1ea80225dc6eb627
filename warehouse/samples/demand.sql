-- One row per product of the demand population, cut-off and week ahead. `price`, `is_price_seen` and `list_price` are
-- those of the week itself (what a what-if asks for), everything else is what the cut-off knew. The label is what was
-- sold and the share of the week's demand that met stock; baselines are of demand, but base_units_sold.
create or replace table samples.demand as
with bounds as (
    select
        cast(getvariable('horizon_days') as integer) // 7 as horizons,
        (select min(week_start) from product_weeks) as first_week
),
folds as (
    select cutoff_date, case fold when 'train_demand' then 'train' else fold end as fold
    from features.cutoffs
    where fold <> 'promotion'
),
populated as (
    select
        demand_population.*,
        fold,
        base_level,
        product_panels.* exclude (product_id, first_week),
        (cutoff_date - product_panels.first_week) // 7 as weeks_known,
        (cutoff_date - bounds.first_week) // 7 as weeks_of_shop
    from features.demand_population
    join folds using (cutoff_date)
    join features.demand_history using (product_id, cutoff_date)
    join product_panels using (product_id), bounds
),
known as (
    select
        *,
        list_price[weeks_known] as last_list_price,
        list_avg(price[greatest(weeks_known - 7, 1):weeks_known]) as reference_price,
        -- Before its first sale a product sold nothing.
        list_resize(list_reverse(demand_units[1:weeks_known]), least(weeks_of_shop, 13), 0) as units_13w,
        list_resize(list_reverse(units[1:weeks_known]), 4, 0) as sold_4w
    from populated
),
measured as (
    select
        *,
        list_avg(units_13w[1:4]) as base_units,
        list_avg(sold_4w) as base_units_sold,
        list_aggregate(units_13w, 'quantile_cont', 0.1) as base_units_13w_p10,
        list_aggregate(units_13w, 'quantile_cont', 0.5) as base_units_13w_p50,
        list_aggregate(units_13w, 'quantile_cont', 0.9) as base_units_13w_p90,
        list_aggregate(units_13w, 'quantile_cont', 0.95) as base_units_13w_p95
    from known
),
rows_ahead as (
    select
        measured.*,
        cast(horizon as integer) as horizon,
        cutoff_date + 7 * (cast(horizon as integer) - 1) as calendar_date
    from measured, bounds, range(1, horizons + 1) as horizons_ahead (horizon)
),
-- What was promoted in the eight weeks before, and in the last of them.
promoted_before as (
    select
        product_id,
        cutoff_date,
        sum(display) / 8 as display_8w,
        sum(mailer) / 8 as mailer_8w,
        sum(mailer_major) / 8 as mailer_major_8w,
        sum(log_lift) / 8 as log_lift_8w,
        max(display) filter (where week_start = cutoff_date - 7) as display_last,
        max(mailer) filter (where week_start = cutoff_date - 7) as mailer_last,
        max(log_lift) filter (where week_start = cutoff_date - 7) as log_lift_last,
        min(log_percent_off) filter (where week_start = cutoff_date - 7) as log_percent_off_last
    from features.demand_promotions
    where week_start < cutoff_date
    group by product_id, cutoff_date
),
planned as (
    select
        *,
        case when mailer >= 0.3 then 'mailer' when display + mailer >= 0.3 or other >= 0.3 then 'display' else 'none' end
            as promotion_kind
    from (
        select
            product_id,
            cutoff_date,
            week_start as calendar_date,
            display,
            mailer,
            mailer_major,
            other,
            log_lift,
            percent_off,
            amount_off,
            fixed_price,
            log_percent_off
        from features.demand_promotions
        where week_start >= cutoff_date
    )
),
-- The price at the shelf on the eve of the cut-off, where the shop tells it; an offer of the last week ends.
standing as (
    select
        folds.cutoff_date,
        shelf_prices.product_id,
        if(promoted_before.product_id is null, price, coalesce(list_price, price)) as standing_price
    from folds
    join shelf_prices
        on starts_at < folds.cutoff_date and (ends_at is null or ends_at >= folds.cutoff_date)
    left join promoted_before
        on promoted_before.product_id = shelf_prices.product_id
        and promoted_before.cutoff_date = folds.cutoff_date
        and promoted_before.log_percent_off_last < 0
),
priced as (
    select
        rows_ahead.*,
        planned.* exclude (product_id, cutoff_date, calendar_date, promotion_kind),
        promoted_before.* exclude (product_id, cutoff_date),
        coalesce(standing_price, last_list_price) as full_price,
        -- An explicit offer beats the price that stands, and that one the usual discount.
        coalesce(
            fixed_price,
            round(full_price * (1 - percent_off / 100), 2),
            case when amount_off < full_price then full_price - amount_off end,
            standing_price,
            last_list_price * price_ratio
        ) as shelf_price
    from rows_ahead
    left join planned using (product_id, cutoff_date, calendar_date)
    left join promoted_before using (product_id, cutoff_date)
    left join standing using (product_id, cutoff_date)
    left join features.discount_habits
        on discount_habits.product_id = rows_ahead.product_id
        and discount_habits.cutoff_date = rows_ahead.cutoff_date
        and discount_habits.promotion_kind = coalesce(planned.promotion_kind, 'none')
)
select
    product_id,
    'all' as site_id,
    cutoff_date,
    horizon,
    calendar_date,
    fold,
    cast(case when fold <> 'serve' then units[weeks_known + horizon] end as float) as label_units,
    case when fold <> 'serve' then available_ratio[weeks_known + horizon] end as label_available_ratio,
    cast(base_units as float) as base_units,
    cast(base_units_sold as float) as base_units_sold,
    cast(base_units_13w_p10 as float) as base_units_13w_p10,
    cast(base_units_13w_p50 as float) as base_units_13w_p50,
    cast(base_units_13w_p90 as float) as base_units_13w_p90,
    cast(base_units_13w_p95 as float) as base_units_13w_p95,
    cast(base_level as float) as base_level,
    case when fold <> 'serve' then price[weeks_known + horizon] end as price,
    case when fold <> 'serve' then is_price_seen[weeks_known + horizon] end as is_price_seen,
    cast(round(shelf_price, 4) as float) as price_assumed,
    -- Over all days of the week, with an offer on some.
    cast(round(if(log_percent_off < 0, full_price * exp(log_percent_off), shelf_price), 4) as float) as mean_price_assumed,
    cast(reference_price as float) as reference_price,
    case when fold <> 'serve' then list_price[weeks_known + horizon] else last_list_price end as list_price,
    not is_sold_by_weight and coalesce(last_list_price > 0, false) as is_priced,
    is_supply_test,
    is_price_test,
    cast(coalesce(display, 0) as float) as ctx_display,
    cast(coalesce(mailer, 0) as float) as ctx_mailer,
    cast(coalesce(mailer_major, 0) as float) as ctx_mailer_major,
    cast(coalesce(other, 0) as float) as ctx_other_promotion,
    cast(coalesce(log_lift, 0) as float) as ctx_promotion_log_lift,
    cast(coalesce(display, 0) - coalesce(display_8w, 0) as float) as ctx_display_over_8w,
    cast(coalesce(mailer, 0) - coalesce(mailer_8w, 0) as float) as ctx_mailer_over_8w,
    cast(coalesce(mailer_major, 0) - coalesce(mailer_major_8w, 0) as float) as ctx_mailer_major_over_8w,
    cast(coalesce(log_lift, 0) - coalesce(log_lift_8w, 0) as float) as ctx_promotion_log_lift_over_8w,
    cast(coalesce(display_last, 0) as float) as ctx_display_last_week,
    cast(coalesce(mailer_last, 0) as float) as ctx_mailer_last_week,
    cast(coalesce(log_lift_last, 0) as float) as ctx_promotion_log_lift_last_week
from priced
order by cutoff_date, product_id, horizon;
