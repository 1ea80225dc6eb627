-- One row per product whose price may be decided: on sale, priced by the piece, with a price in force.
-- product_row numbers them from 0 for arrays.
create or replace temp table priced_products as
with forecasts as (
    select
        product_id,
        -- In force is the price of the coming week; where sites differ, the mean over the units that they sell.
        arg_min(price, week_start) as current_price,
        avg(elasticity) as elasticity,
        avg(elasticity_sd) as elasticity_sd,
        bool_and(is_elasticity_identified) as is_elasticity_identified,
        bool_or(is_promoted) as is_promoted,
        bool_or(is_fallback) as is_fallback,
        any_value(evidence_level) as evidence_level,
        any_value(model_version) as model_version
    from (
        select
            *,
            coalesce(
                sum(price_assumed * demand_units_mean) over weeks / nullif(sum(demand_units_mean) over weeks, 0),
                avg(price_assumed) over weeks
            ) as price
        from predicted.demand
        window weeks as (partition by product_id, week_start)
    )
    group by product_id
    having bool_and(coalesce(is_priced and price_assumed > 0, false))
)
select
    cast(row_number() over (order by product_id) - 1 as bigint) as product_row,
    product_id,
    offered_products.product_title,
    offered_products.currency,
    cast(current_price as decimal(18, 4)) as current_price,
    cast(unit_cost as double) as unit_cost,
    elasticity,
    coalesce(elasticity_sd, 0) as elasticity_sd,
    is_elasticity_identified,
    is_promoted,
    is_fallback,
    evidence_level,
    model_version,
    pricing_guardrails.* exclude (product_id),
    dense_rank() over (order by price_endings) - 1 as endings_group,
    position_units,
    lead_time_days_p50
from forecasts
join offered_products using (product_id)
join pricing_guardrails using (product_id)
join replenishment_policies using (product_id)
left join stock on stock.product_id = forecasts.product_id and stock.site_id = 'all'
where round(current_price, 2) > 0
order by product_row
