-- One row per offered product: how it is replenished. Value by value, the narrowest valid rule that says something
-- wins, then the settings (but for the service level, which orders set); lead times that were seen come before those
-- that were agreed.
create or replace temp table replenishment_policies as
with valid_rules as (
    select *
    from raw.inventory_policies
    where valid_from <= getvariable('as_of_date') and coalesce(valid_to > getvariable('as_of_date'), true)
),
applicable as (
    select
        product_id,
        valid_rules.*,
        row_number() over (partition by product_id order by width, valid_from desc, rule_id) as preference
    from product_scopes
    join valid_rules using (scope)
    where scope = 'all' or product_scopes.scope_id = valid_rules.scope_id
),
-- arg_min skips the rules that leave the value empty.
narrowest as (
    select
        product_id,
        arg_min(service_level, preference) as service_level,
        arg_min(review_days, preference) as review_days,
        arg_min(lead_time_days, preference) as lead_time_days,
        arg_min(maximum_cover_days, preference) as maximum_cover_days,
        arg_min(order_line_cost, preference) as order_line_cost,
        arg_min(holding_cost_ratio, preference) as holding_cost_ratio
    from applicable
    group by product_id
),
-- Of several suppliers, the cheapest is ordered from.
terms as (
    select *
    from raw.supplier_products
    qualify row_number() over (partition by product_id order by unit_cost nulls last, supplier_id) = 1
),
-- How late the supplier that is ordered from has been, where it ever delivered.
seen as (
    select product_id, late_days_p50, late_days_p90
    from offered_products
    left join terms using (product_id)
    left join raw.products using (product_id)
    join features.lead_times
        on lead_times.supplier_id = coalesce(terms.supplier_id, products.supplier_id, 'unknown')
        and lead_times.cutoff_date = getvariable('as_of_date')
),
agreed as (
    select
        product_id,
        coalesce(terms.planned_lead_time_days, getvariable('lead_time_days')) as planned_lead_time_days,
        coalesce(
            narrowest.lead_time_days, terms.planned_lead_time_days, getvariable('lead_time_days')
        ) as lead_time_days
    from offered_products
    left join narrowest using (product_id)
    left join terms using (product_id)
)
select
    product_id,
    narrowest.service_level as agreed_service_level,
    coalesce(narrowest.review_days, getvariable('review_days')) as review_days,
    greatest(coalesce(agreed.planned_lead_time_days + late_days_p50, agreed.lead_time_days), 0) as lead_time_days_p50,
    greatest(coalesce(agreed.planned_lead_time_days + late_days_p90, agreed.lead_time_days), 0) as lead_time_days_p90,
    seen.product_id is not null as is_lead_time_seen,
    narrowest.maximum_cover_days,
    cast(coalesce(narrowest.order_line_cost, getvariable('order_line_cost')) as double) as order_line_cost,
    coalesce(narrowest.holding_cost_ratio, getvariable('holding_cost_ratio')) as holding_cost_ratio,
    terms.minimum_order_units,
    terms.order_multiple_units
from agreed
left join narrowest using (product_id)
left join seen using (product_id)
left join terms using (product_id)
