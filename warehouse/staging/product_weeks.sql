-- One row per product and week with a sale of items. Weeks are blocks of seven days that end the day before as-of.
create or replace table staging.product_weeks as
with lines as (
    select *, staging.week_start(business_date) as week_start
    from staging.order_lines
    where is_item
),
-- Shelf prices differ between sites: the median within a site, then the plain mean over sites.
site_weeks as (
    select
        product_id,
        week_start,
        site_id,
        count(*) as lines,
        cast(median(sold_price) as decimal(18, 6)) as price,
        cast(median(list_price) as decimal(18, 6)) as list_price,
        -- A regular price that varies within one site and week is no price: the product is sold by weight.
        max(round(list_price, 2)) / nullif(min(round(list_price, 2)), 0) - 1 > 0.03 as is_price_spread
    from lines
    group by all
),
prices as (
    select
        product_id,
        week_start,
        avg(price) as price,
        avg(list_price) as list_price,
        count(*) filter (where lines >= 2) as compared_sites,
        count(*) filter (where lines >= 2 and is_price_spread) as spread_sites
    from site_weeks
    group by all
),
sales as (
    select
        product_id,
        any_value(product_index) as product_index,
        week_start,
        count(*) as lines,
        sum(quantity) as units,
        sum(line_total) as revenue,
        sum(discount) as discount,
        count(*) filter (where discount > 0) as discounted_lines
    from lines
    group by product_id, week_start
),
buyers as (
    select
        product_index,
        staging.week_start(business_date) as week_start,
        count(*) filter (where purchase_number = 1) as first_buyers,
        count(*) filter (where purchase_number = 2) as second_buyers
    from staging.user_product_days
    group by all
)
select sales.*, price, list_price, compared_sites, spread_sites, first_buyers, second_buyers
from sales
join prices using (product_id, week_start)
join buyers using (product_index, week_start);
