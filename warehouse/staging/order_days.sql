-- One row per user and day with an order: what the day was worth, and what was new about it.
create or replace temp table order_days as
with days as (
    select
        user_id,
        business_date,
        count(distinct order_id) as orders,
        count(*) as lines,
        cast(sum(line_total) as decimal(18, 4)) as spend,
        cast(sum(discount) as decimal(18, 4)) as discount,
        count(*) filter (where has_order_coupon) as coupon_order_lines,
        count(*) filter (where is_paid_below_shelf_price) as coupon_lines
    from known_lines
    where user_id is not null
    group by all
),
first_products as (
    select user_id, first_date as business_date, count(*) as new_products
    from (
        select user_id, product_id, min(business_date) as first_date from known_lines group by all
    )
    group by all
),
first_subcategories as (
    select user_id, first_date as business_date, count(*) as new_subcategories
    from (
        select user_id, subcategory, min(business_date) as first_date from known_lines group by all
    )
    group by all
),
first_sites as (
    select user_id, first_date as business_date, count(*) as new_sites
    from (
        select user_id, site_id, min(business_date) as first_date from known_lines group by all
    )
    group by all
)
select
    days.*,
    coalesce(new_products, 0) as new_products,
    coalesce(new_subcategories, 0) as new_subcategories,
    coalesce(new_sites, 0) as new_sites,
    -- Days since the order day before; NULL on the first.
    business_date - lag(business_date) over (partition by user_id order by business_date) as gap_days
from days
left join first_products using (user_id, business_date)
left join first_subcategories using (user_id, business_date)
left join first_sites using (user_id, business_date);
