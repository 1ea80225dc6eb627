-- One row per product sold before the cut-off, and cut-off; at the cut-offs that only the demand curve uses,
-- only the products that it learns from.
create or replace table features.products as
with wanted as (
    select product_id, cutoff_date
    from staging.product_weeks
    join features.recommendation_cutoffs on week_start < cutoff_date
    group by all
    union
    select product_id, cutoff_date from features.demand_population
),
history as (
    select
        wanted.cutoff_date,
        (wanted.cutoff_date - week_start) // 7 as weeks_ago,
        product_weeks.*
    from wanted
    join staging.product_weeks using (product_id)
    where week_start < wanted.cutoff_date
),
sales as (
    select
        product_id,
        cutoff_date,
        sum(lines) as lines,
        coalesce(sum(lines) filter (where weeks_ago <= 1), 0) as lines_7d,
        coalesce(sum(lines) filter (where weeks_ago <= 4), 0) as lines_28d,
        coalesce(sum(lines) filter (where weeks_ago <= 12), 0) as lines_84d,
        coalesce(sum(units) filter (where weeks_ago <= 4), 0) as units_28d,
        coalesce(sum(units) filter (where weeks_ago <= 12), 0) as units_84d,
        sum(units) as units,
        sum(revenue) as revenue,
        sum(discount) as discount,
        sum(discounted_lines) as discounted_lines,
        sum(first_buyers) as users,
        coalesce(sum(first_buyers) filter (where weeks_ago <= 4), 0) as new_users_28d,
        sum(second_buyers) as repeat_users,
        count(*) as weeks_sold,
        max(weeks_ago) as weeks_since_first_sale,
        min(weeks_ago) as weeks_since_last_sale,
        arg_min(price, weeks_ago) as price,
        arg_min(list_price, weeks_ago) as list_price,
        sum(compared_sites) as compared_sites,
        sum(spread_sites) as spread_sites
    from history
    group by product_id, cutoff_date
),
-- How a product stands among those of its subcategory.
peers as (
    select
        cutoff_date,
        subcategory,
        median(price) as price,
        sum(lines_84d) as lines_84d
    from sales
    join staging.products using (product_id)
    group by all
)
select
    sales.product_id,
    sales.cutoff_date,
    products.category,
    products.subcategory,
    products.brand,
    cast(sales.lines as bigint) as lines,
    cast(sales.lines_7d as bigint) as lines_7d,
    cast(sales.lines_28d as bigint) as lines_28d,
    cast(sales.lines_84d as bigint) as lines_84d,
    cast(units_28d as double) as units_28d,
    cast(units_84d as double) as units_84d,
    cast(units as double) / sales.lines as units_per_line,
    cast(sales.users as bigint) as users,
    cast(new_users_28d as bigint) as new_users_28d,
    repeat_users / nullif(sales.users, 0) as repeat_ratio,
    sales.lines / nullif(sales.users, 0) as lines_per_user,
    sales.lines_28d / (sales.lines_84d / 3 + 1) as lines_trend_ratio,
    weeks_sold,
    weeks_sold / weeks_since_first_sale as weeks_sold_ratio,
    weeks_since_first_sale,
    weeks_since_last_sale,
    sales.price,
    sales.list_price,
    sales.price / nullif(peers.price, 0) as price_over_subcategory,
    sales.lines_84d / nullif(peers.lines_84d, 0) as share_of_subcategory,
    discounted_lines / sales.lines as discounted_share,
    cast(discount as double) / nullif(cast(revenue + discount as double), 0) as discount_depth,
    compared_sites >= 5 and spread_sites > 0.5 * compared_sites as is_sold_by_weight
from sales
join staging.products using (product_id)
join peers using (cutoff_date, subcategory)
order by cutoff_date, product_id;
