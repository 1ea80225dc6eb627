-- One row per product and site whose replenishment the scenario changes.
select
    product_id,
    site_id,
    night.recommended_order_units as order_units_night,
    scenario.recommended_order_units as order_units_scenario,
    night.reorder_point_units as reorder_point_units_night,
    scenario.reorder_point_units as reorder_point_units_scenario,
    night.order_up_to_units as order_up_to_units_night,
    scenario.order_up_to_units as order_up_to_units_scenario,
    night.stockout_probability as stockout_probability_night,
    scenario.stockout_probability as stockout_probability_scenario,
    night.expected_lost_margin as expected_lost_margin_night,
    scenario.expected_lost_margin as expected_lost_margin_scenario
from night.predictions.replenishment_recommendations as night
join predictions.replenishment_recommendations as scenario using (product_id, site_id)
where (
    night.recommended_order_units,
    night.reorder_point_units,
    night.order_up_to_units,
    night.stockout_probability,
    night.expected_lost_margin
) is distinct from (
    scenario.recommended_order_units,
    scenario.reorder_point_units,
    scenario.order_up_to_units,
    scenario.stockout_probability,
    scenario.expected_lost_margin
)
