-- One row per user with an order before the cut-off, and cut-off from which they are looked at.
create or replace table features.users as
with history as (
    select cutoff_date, cutoff_date - business_date as age, order_days.*
    from viewpoints
    join order_days using (user_id)
    where business_date < cutoff_date
),
habits as (
    select
        user_id,
        cutoff_date,
        min(age) as recency_days,
        max(age) as tenure_days,
        count(*) as order_days,
        sum(orders) as orders,
        sum(spend) as spend,
        max(spend) as spend_max,
        sum(spend * spend) as spend_squares,
        arg_min(spend, age) as spend_last,
        avg(lines) as lines_mean,
        avg(age) as age_mean,
        sum(discount) as discount,
        sum(discount) filter (where age <= 84) as discount_84d,
        sum(coupon_order_lines) as coupon_order_lines,
        sum(coupon_lines) as coupon_lines,
        sum(coupon_order_lines + coupon_lines) filter (where age <= 84) as coupon_lines_84d,
        sum(new_products) as products,
        sum(new_products) filter (where age <= 28) as new_products_28d,
        sum(new_subcategories) as subcategories,
        sum(new_sites) as sites,
        avg(gap_days) as gap_mean_days,
        sum(gap_days * gap_days) as gap_squares,
        count(gap_days) as gaps,
        list_avg(arg_min(gap_days, age, 3)) as gap_last3_days,
        sum(spend) filter (where age <= 7) as spend_7d,
        sum(spend) filter (where age <= 14) as spend_14d,
        sum(spend) filter (where age <= 28) as spend_28d,
        sum(spend) filter (where age <= 56) as spend_56d,
        sum(spend) filter (where age <= 84) as spend_84d,
        sum(spend) filter (where age <= 168) as spend_168d,
        count(*) filter (where age <= 7) as order_days_7d,
        count(*) filter (where age <= 14) as order_days_14d,
        count(*) filter (where age <= 28) as order_days_28d,
        count(*) filter (where age <= 56) as order_days_56d,
        count(*) filter (where age <= 84) as order_days_84d,
        count(*) filter (where age <= 168) as order_days_168d,
        sum(lines) filter (where age <= 7) as lines_7d,
        sum(lines) filter (where age <= 14) as lines_14d,
        sum(lines) filter (where age <= 28) as lines_28d,
        sum(lines) filter (where age <= 56) as lines_56d,
        sum(lines) filter (where age <= 84) as lines_84d,
        sum(lines) filter (where age <= 168) as lines_168d,
        avg(cast(isodow(business_date) = 1 as integer)) as monday_share,
        avg(cast(isodow(business_date) = 2 as integer)) as tuesday_share,
        avg(cast(isodow(business_date) = 3 as integer)) as wednesday_share,
        avg(cast(isodow(business_date) = 4 as integer)) as thursday_share,
        avg(cast(isodow(business_date) = 5 as integer)) as friday_share,
        avg(cast(isodow(business_date) = 6 as integer)) as saturday_share,
        avg(cast(isodow(business_date) = 7 as integer)) as sunday_share
    from history
    group by user_id, cutoff_date
),
usual_orders as (
    select cutoff_date, cast(sum(spend) / sum(order_days) as decimal(18, 4)) as usual_spend
    from habits
    group by cutoff_date
),
-- Not known (rather than none) where the shop records no behaviour.
visits as (
    select
        user_id,
        cutoff_date,
        min(cutoff_date - business_date) as visit_recency_days,
        count(business_date) filter (where business_date >= cutoff_date - 7) as visit_days_7d,
        count(business_date) filter (where business_date >= cutoff_date - 14) as visit_days_14d,
        count(business_date) filter (where business_date >= cutoff_date - 28) as visit_days_28d,
        count(business_date) filter (where business_date >= cutoff_date - 56) as visit_days_56d,
        count(business_date) as visit_days_84d,
        coalesce(sum(views) filter (where business_date >= cutoff_date - 28), 0) as views_28d,
        coalesce(sum(searches) filter (where business_date >= cutoff_date - 28), 0) as searches_28d,
        coalesce(sum(cart_adds) filter (where business_date >= cutoff_date - 28), 0) as cart_adds_28d
    from viewpoints
    join staging.users using (user_id)
    left join visit_days
        on visit_days.user_index = users.user_index
        and business_date < cutoff_date
        and business_date >= cutoff_date - 84
    where exists (from visit_days as others where others.business_date < cutoff_date)
    group by user_id, cutoff_date
),
site_days as (
    select user_id, site_id, business_date, count(*) as lines from known_lines group by all
),
-- The site with most lines in the last 168 days, else ever; the smaller id where two tie.
home_sites as (
    select user_id, cutoff_date, arg_max(site_id, (recent_lines, lines, site_id)) as home_site_id
    from (
        select
            user_id,
            cutoff_date,
            site_id,
            sum(lines) as lines,
            coalesce(sum(lines) filter (where business_date >= cutoff_date - 168), 0) as recent_lines
        from viewpoints
        join site_days using (user_id)
        where business_date < cutoff_date
        group by all
    )
    group by all
)
select
    habits.user_id,
    habits.cutoff_date,
    users.country,
    users.region,
    users.acquisition_channel,
    users.age_band,
    users.gender,
    users.income_band,
    users.household_size,
    home_sites.home_site_id,
    recency_days,
    tenure_days,
    order_days,
    orders,
    order_days / tenure_days as order_days_per_day,
    cast(spend as double) as spend,
    cast(spend as double) / tenure_days as spend_per_day,
    cast(spend as double) / order_days as spend_mean,
    cast(spend_max as double) as spend_max,
    cast(spend_last as double) as spend_last,
    sqrt(greatest(cast(spend_squares as double) / order_days - (cast(spend as double) / order_days) ** 2, 0)) as spend_sd,
    lines_mean,
    age_mean as mean_age_days,
    cast(coalesce(spend_7d, 0) as double) as spend_7d,
    cast(coalesce(spend_14d, 0) as double) as spend_14d,
    cast(coalesce(spend_28d, 0) as double) as spend_28d,
    cast(coalesce(spend_56d, 0) as double) as spend_56d,
    cast(coalesce(spend_84d, 0) as double) as spend_84d,
    cast(coalesce(spend_168d, 0) as double) as spend_168d,
    cast(coalesce(spend_56d, 0) - coalesce(spend_28d, 0) as double) as spend_28d_before_28d,
    cast(coalesce(spend_84d, 0) - coalesce(spend_56d, 0) as double) as spend_28d_before_56d,
    cast(coalesce(spend_28d, 0) as double) / (cast(coalesce(spend_84d, 0) as double) / 3 + 1) as spend_trend_ratio,
    order_days_7d,
    order_days_14d,
    order_days_28d,
    order_days_56d,
    order_days_84d,
    order_days_168d,
    cast(coalesce(lines_7d, 0) as bigint) as lines_7d,
    cast(coalesce(lines_14d, 0) as bigint) as lines_14d,
    cast(coalesce(lines_28d, 0) as bigint) as lines_28d,
    cast(coalesce(lines_56d, 0) as bigint) as lines_56d,
    cast(coalesce(lines_84d, 0) as bigint) as lines_84d,
    cast(coalesce(lines_168d, 0) as bigint) as lines_168d,
    gap_mean_days,
    if(gaps > 0, sqrt(greatest(cast(gap_squares as double) / gaps - gap_mean_days ** 2, 0)), null) as gap_sd_days,
    gap_last3_days,
    recency_days / (gap_mean_days + 1) as recency_over_gap,
    cast(discount as double) / nullif(cast(spend + discount as double), 0) as discount_share,
    cast(discount_84d as double) / nullif(cast(spend_84d + discount_84d as double), 0) as discount_share_84d,
    cast(coupon_order_lines + coupon_lines as bigint) as coupon_lines,
    cast(coalesce(coupon_lines_84d, 0) as bigint) as coupon_lines_84d,
    cast(products as bigint) as products,
    cast(coalesce(new_products_28d, 0) as bigint) as new_products_28d,
    cast(subcategories as bigint) as subcategories,
    cast(sites as bigint) as sites,
    monday_share,
    tuesday_share,
    wednesday_share,
    thursday_share,
    friday_share,
    saturday_share,
    sunday_share,
    visit_recency_days,
    visit_days_7d,
    visit_days_14d,
    visit_days_28d,
    visit_days_56d,
    visit_days_84d,
    -- As a hidden Markov model of the days on which users show up sees it, and what such orders would be worth at the
    -- user's mean, drawn to everybody's as if by two more.
    presence,
    order_probability_7d as presence_order_probability_7d,
    order_probability_28d as presence_order_probability_28d,
    expected_order_days_28d,
    expected_order_days_28d * cast(spend + 2 * usual_spend as double) / (order_days + 2) as expected_spend_28d,
    cast(views_28d as bigint) as views_28d,
    cast(searches_28d as bigint) as searches_28d,
    cast(cart_adds_28d as bigint) as cart_adds_28d,
    order_days_28d / nullif(visit_days_28d, 0) as order_days_per_visit_day_28d
from habits
join staging.users using (user_id)
join usual_orders using (cutoff_date)
left join visits using (user_id, cutoff_date)
left join presence using (user_index, cutoff_date)
join home_sites using (user_id, cutoff_date)
order by cutoff_date, user_id;
