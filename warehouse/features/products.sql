-- One row per product sold before the cut-off, and cut-off; at the cut-offs that only the demand curve uses, only
-- the products that it learns from.
create or replace table features.products as
with wanted as (
    select cutoff_date, cutoff_date in (select cutoff_date from features.recommendation_cutoffs) as is_of_all
    from (select distinct cutoff_date from features.cutoffs where fold <> 'promotion')
),
standing as (
    select product_weeks.*, cutoff_date
    from product_weeks
    join wanted
        on week_start < wanted.cutoff_date
        and (next_week_start is null or next_week_start >= wanted.cutoff_date)
    left join features.demand_population using (product_id, cutoff_date)
    where is_of_all or demand_population.product_id is not null
),
recent as (
    select
        product_index,
        cutoff_date,
        sum(lines) filter (where week_start >= cutoff_date - 7) as lines_7d,
        sum(lines) filter (where week_start >= cutoff_date - 28) as lines_28d,
        sum(lines) as lines_84d,
        sum(cast(units as decimal(18, 4))) filter (where week_start >= cutoff_date - 28) as units_28d,
        sum(cast(units as decimal(18, 4))) as units_84d,
        sum(first_buyers) filter (where week_start >= cutoff_date - 28) as new_users_28d,
        sum(discounted_lines) as discounted_lines_84d
    from product_weeks
    join wanted on week_start < cutoff_date and week_start >= cutoff_date - 84
    group by product_index, cutoff_date
),
-- How a product stands among those of its subcategory.
peers as (
    select cutoff_date, subcategory_index, median(price) as price, sum(lines_84d) as lines_84d
    from standing
    join staging.products using (product_index)
    left join recent using (product_index, cutoff_date)
    group by cutoff_date, subcategory_index
)
select
    standing.product_id,
    standing.cutoff_date,
    products.category,
    products.subcategory,
    products.brand,
    products.supplier_id,
    cast(total_lines as bigint) as lines,
    cast(coalesce(lines_7d, 0) as bigint) as lines_7d,
    cast(coalesce(lines_28d, 0) as bigint) as lines_28d,
    cast(coalesce(recent.lines_84d, 0) as bigint) as lines_84d,
    cast(coalesce(units_28d, 0) as double) as units_28d,
    cast(coalesce(units_84d, 0) as double) as units_84d,
    total_units / total_lines as units_per_line,
    cast(total_users as bigint) as users,
    cast(coalesce(new_users_28d, 0) as bigint) as new_users_28d,
    total_repeat_users / nullif(total_users, 0) as repeat_ratio,
    total_lines / nullif(total_users, 0) as lines_per_user,
    coalesce(lines_28d, 0) / (coalesce(recent.lines_84d, 0) / 3 + 1) as lines_trend_ratio,
    weeks_sold,
    7 * weeks_sold / (standing.cutoff_date - first_week_start) as weeks_sold_ratio,
    (standing.cutoff_date - first_week_start) // 7 as weeks_since_first_sale,
    (standing.cutoff_date - week_start) // 7 as weeks_since_last_sale,
    standing.price,
    standing.list_price,
    standing.price / nullif(peers.price, 0) as price_over_subcategory,
    coalesce(recent.lines_84d, 0) / nullif(peers.lines_84d, 0) as share_of_subcategory,
    total_discounted_lines / total_lines as discounted_share,
    discounted_lines_84d / recent.lines_84d as discounted_share_84d,
    total_discount / nullif(total_revenue + total_discount, 0) as discount_depth,
    is_sold_by_weight
from standing
join staging.products using (product_index)
join peers using (cutoff_date, subcategory_index)
left join recent using (product_index, cutoff_date)
order by cutoff_date, product_id;
