-- One row per product and whole week with a sale of items: the week, and how things stood after it. Weeks are blocks
-- of seven days that end the day before as-of. Seen from a cut-off, the row that stands is the last one before it.
create or replace temp table product_weeks as
with bounds as (
    select min(business_date) as first_date from known_lines
),
lines as (
    select *, staging.week_start(business_date) as week_start
    from known_lines, bounds
    -- The days before the first whole week would look like a slump.
    where is_item and staging.week_start(business_date) >= first_date
),
-- Shelf prices differ between sites: the median within a site, then the plain mean over sites.
site_weeks as (
    select
        product_index,
        week_start,
        site_id,
        count(*) as lines,
        sum(quantity) as units,
        sum(line_total) as revenue,
        sum(discount) as discount,
        count(*) filter (where discount > 0) as discounted_lines,
        cast(median(sold_price) as decimal(18, 6)) as price,
        cast(median(list_price) as decimal(18, 6)) as list_price,
        -- A regular price that varies within one site and week is no price: the product is sold by weight.
        max(round(list_price, 2)) / nullif(min(round(list_price, 2)), 0) - 1 > 0.03 as is_price_spread
    from lines
    group by product_index, week_start, site_id
),
sales as (
    select
        product_index,
        week_start,
        cast(sum(lines) as integer) as lines,
        cast(sum(units) as double) as units,
        cast(sum(revenue) as double) as revenue,
        cast(sum(discount) as double) as discount,
        cast(sum(discounted_lines) as integer) as discounted_lines,
        avg(price) as price,
        avg(list_price) as list_price,
        cast(count(*) filter (where lines >= 2) as integer) as compared_sites,
        cast(count(*) filter (where lines >= 2 and is_price_spread) as integer) as spread_sites
    from site_weeks
    group by product_index, week_start
),
buyers as (
    select
        product_index,
        staging.week_start(business_date) as week_start,
        cast(count(*) filter (where purchase_number = 1) as integer) as first_buyers,
        cast(count(*) filter (
            where purchase_number = 2 and staging.week_start(user_product_days.first_date) >= bounds.first_date
        ) as integer) as second_buyers
    from user_product_days, bounds
    group by all
)
select
    product_id,
    product_index,
    week_start,
    lead(week_start) over product as next_week_start,
    first_value(week_start) over product as first_week_start,
    cast(row_number() over product as integer) as weeks_sold,
    lines,
    units,
    discounted_lines,
    price,
    list_price,
    coalesce(first_buyers, 0) as first_buyers,
    cast(sum(lines) over product as integer) as total_lines,
    sum(units) over product as total_units,
    sum(revenue) over product as total_revenue,
    sum(discount) over product as total_discount,
    cast(sum(discounted_lines) over product as integer) as total_discounted_lines,
    cast(sum(coalesce(first_buyers, 0)) over product as integer) as total_users,
    cast(sum(coalesce(second_buyers, 0)) over product as integer) as total_repeat_users,
    -- Mostly the regular price varied within a site and week: sold by weight.
    sum(compared_sites) over product >= 5
        and sum(spread_sites) over product > 0.5 * sum(compared_sites) over product as is_sold_by_weight
from sales
left join buyers using (product_index, week_start)
join staging.products using (product_index)
window product as (partition by product_index order by week_start);
