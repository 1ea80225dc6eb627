-- One row per product of the demand population, week and price that stood at its shelf meanwhile, under the same
-- promotions: what it sold. This is the evidence of elasticities: a week that saw two prices tells more in two parts.
create or replace table features.price_spells as
with traffic as (
    select
        business_date,
        staging.week_start(business_date) as week_start,
        count(*) / avg(count(*)) over () as traffic
    from known_lines
    where is_item
    group by business_date
),
priced as (
    select distinct product_id from features.demand_population where not is_sold_by_weight
),
-- The price at noon stands for the day.
told_prices as (
    select product_id, business_date, week_start, price
    from priced
    join shelf_prices using (product_id)
    join traffic
        on starts_at <= business_date + interval 12 hour
        and (ends_at is null or ends_at > business_date + interval 12 hour)
),
-- Where the shop tells none, the price that a week's sales showed.
sold_weeks as (
    select
        product_id,
        first_week + 7 * cast(generate_subscripts(price, 1) - 1 as integer) as week_start,
        unnest(price) as price,
        unnest(is_price_seen) as is_price_seen
    from product_panels
    semi join priced using (product_id)
    anti join shelf_prices using (product_id)
),
prices as (
    select * from told_prices
    union all
    select product_id, business_date, week_start, price
    from sold_weeks
    join traffic using (week_start)
    where is_price_seen
),
sales as (
    select product_id, business_date, sum(quantity) as units
    from known_lines
    where is_item
    group by product_id, business_date
),
promotions as (
    select
        product_id,
        business_date,
        sum(cast(reach as decimal(9, 6))) filter (where contains(channel, 'display')) as display,
        sum(cast(reach as decimal(9, 6))) filter (where contains(channel, 'mailer')) as mailer,
        sum(cast(reach as decimal(9, 6))) filter (
            where not contains(channel, 'display') and not contains(channel, 'mailer')
        ) as other
    from promotion_reaches
    semi join priced using (product_id)
    join traffic on business_date >= start_date and business_date < end_date
    group by product_id, business_date
),
product_days as (
    select
        prices.product_id,
        prices.week_start,
        cast(ln(price) as decimal(12, 9)) as log_price,
        cast(least(coalesce(display, 0), 1) as float) as display,
        cast(least(coalesce(mailer, 0), 1) as float) as mailer,
        cast(least(coalesce(other, 0), 1) as float) as other,
        coalesce(units, 0) as units,
        cast(traffic * (1 - coalesce(unmet_ratio, 0)) as decimal(18, 9)) as exposure
    from prices
    join traffic using (business_date)
    left join sales using (product_id, business_date)
    left join promotions using (product_id, business_date)
    left join stockout_days using (product_id, business_date)
    -- A day on which most of the demand met no stock says little of what was wanted.
    where price > 0 and coalesce(unmet_ratio, 0) <= 0.75
),
spells as (
    select
        product_id,
        week_start,
        log_price,
        display,
        mailer,
        other,
        sum(units) as units,
        sum(exposure) as exposure
    from product_days
    group by product_id, week_start, log_price, display, mailer, other
)
select
    product_id,
    week_start,
    category,
    cast(log_price - avg(log_price) over (partition by product_id) as float) as log_price_ratio,
    display as ctx_display,
    mailer as ctx_mailer,
    other as ctx_other_promotion,
    cast(units as float) as units,
    cast(exposure as float) as exposure
from spells
join staging.products using (product_id)
where exposure > 0
order by product_id, week_start, log_price, display, mailer, other;
