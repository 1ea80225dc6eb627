-- One row per product, site and coming week: demand at the price that will be charged, on the same curve as pricing.
create or replace temp table charged_demand as
select
    demand.* replace (
        demand_units_mean * coalesce(unit_ratio, 1) as demand_units_mean,
        demand_units_p10 * coalesce(unit_ratio, 1) as demand_units_p10,
        demand_units_p50 * coalesce(unit_ratio, 1) as demand_units_p50,
        demand_units_p90 * coalesce(unit_ratio, 1) as demand_units_p90,
        demand_units_p95 * coalesce(unit_ratio, 1) as demand_units_p95,
        price_assumed * coalesce(price_ratio, 1) as price_assumed
    ),
    unit_ratio is not null as is_repriced
from predicted.demand
left join demand_ratios on demand_ratios.demand_row = demand.rowid
