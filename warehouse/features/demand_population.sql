-- One row per product whose demand is learned or forecast at a cut-off. The best sellers by lines before the
-- cut-off are learned from and measured; tonight, everything sold in the last 13 weeks is forecast too.
create or replace table features.demand_population as
with history as (
    select
        cutoff_date,
        bool_or(fold = 'serve') as is_served,
        product_id,
        sum(lines) as lines,
        max(week_start) >= cutoff_date - 91 as is_sold_lately,
        coalesce(sum(compared_sites) >= 5 and sum(spread_sites) > 0.5 * sum(compared_sites), false) as is_sold_by_weight
    from staging.product_weeks
    join features.cutoffs on week_start < cutoff_date and fold <> 'promotion'
    where week_start >= (select min(business_date) from staging.order_lines)
    group by cutoff_date, product_id
),
ranked as (
    select *, row_number() over (partition by cutoff_date order by lines desc, product_id) as sales_rank from history
)
select
    product_id,
    cutoff_date,
    sales_rank,
    is_sold_by_weight,
    sales_rank <= getvariable('demand_products') as is_supply_test,
    -- The best half of the population that has a price, in order of sales.
    not is_sold_by_weight
        and sales_rank <= getvariable('demand_products')
        and row_number() over (partition by cutoff_date, is_sold_by_weight order by sales_rank)
            <= getvariable('demand_products') // 2 as is_price_test
from ranked
where sales_rank <= getvariable('demand_products') or (is_served and is_sold_lately)
order by cutoff_date, sales_rank;
