-- One row per product and site to replenish; item_row numbers them from 0 for arrays.
create or replace temp table stocked_items as
with items as (
    select
        product_id,
        site_id,
        min(evidence_level) as evidence_level,
        any_value(model_version) as model_version,
        bool_or(is_fallback) as is_fallback,
        sum(demand_units_mean order by week_start) as units_28d,
        arg_min(price_assumed, week_start) as price
    from charged_demand
    group by all
)
select
    cast(row_number() over (order by items.product_id, items.site_id) - 1 as bigint) as item_row,
    items.*,
    offered_products.product_title,
    replenishment_policies.* exclude (product_id),
    position_units,
    available_units,
    cast(price - unit_cost as double) as unit_margin
from items
join offered_products using (product_id)
join replenishment_policies using (product_id)
left join stock on stock.product_id = items.product_id and stock.site_id = items.site_id
order by item_row
