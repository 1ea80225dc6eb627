-- One row per product whose demand is learned or forecast at a cut-off. The best sellers by lines before the
-- cut-off are learned from and measured; tonight, everything sold in the last 13 weeks is forecast too.
create or replace table features.demand_population as
with cutoffs as (
    select cutoff_date, bool_or(fold = 'serve') as is_served
    from features.cutoffs
    where fold <> 'promotion'
    group by cutoff_date
),
ranked as (
    select
        product_id,
        cutoff_date,
        is_served and week_start >= cutoff_date - 91 as is_forecast,
        is_sold_by_weight,
        row_number() over (partition by cutoff_date order by total_lines desc, product_id) as sales_rank
    from product_weeks
    join cutoffs on week_start < cutoff_date and (next_week_start is null or next_week_start >= cutoff_date)
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
where sales_rank <= getvariable('demand_products') or is_forecast
order by cutoff_date, sales_rank;
