-- One row per product whose price may be decided: on sale, priced by the piece, with a price in force.
-- product_row numbers them from 0 for arrays.
create or replace temp table priced_products as
with coming_week as (
    -- In force is the price of the coming week; where sites differ, the mean over the units that they sell.
    -- Decimals, so that a sum does not depend on the order in which threads add; the weights above and below the
    -- line are the same, so that one site's price stays as it is however little it sells.
    select
        product_id,
        coalesce(
            sum(cast(price_assumed as decimal(18, 6)) * cast(demand_units_mean as decimal(18, 6)))
                / nullif(sum(cast(demand_units_mean as decimal(18, 6))), 0),
            avg(cast(price_assumed as decimal(18, 6)))
        ) as current_price
    from predicted.demand
    where week_start = getvariable('as_of_date')
    group by product_id
),
curves as (
    -- The curve is the product's own, so that elasticity and evidence are the same on all its rows.
    select
        product_id,
        any_value(elasticity) as elasticity,
        any_value(elasticity_sd) as elasticity_sd,
        bool_and(is_elasticity_identified) as is_elasticity_identified,
        min(evidence_level) as evidence_level,
        any_value(model_version) as model_version,
        bool_or(is_fallback) as is_fallback
    from predicted.demand
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
    is_fallback,
    evidence_level,
    model_version,
    pricing_guardrails.* exclude (product_id),
    dense_rank() over (order by price_endings) - 1 as endings_group,
    position_units,
    available_units + arriving_7d_units as week_units,
    lead_time_days_p50,
    decision_id,
    valid_until,
    -- Four decimals, as every price has; a rejection keeps the price.
    cast(
        cast(case action when 'overridden' then value when 'rejected' then current_price end as decimal(18, 4)) as double
    ) as decided_price
from curves
join coming_week using (product_id)
join offered_products using (product_id)
join pricing_guardrails using (product_id)
join replenishment_policies using (product_id)
left join stock on stock.product_id = curves.product_id and stock.site_id = 'all'
left join standing_decisions as decided on decided.head = 'pricing' and decided.product_id = curves.product_id
where round(current_price, 2) > 0
order by product_row
