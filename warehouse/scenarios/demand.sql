-- One row per product, site and coming week whose price or demand the scenario changes.
select *
from scenario_weeks
where price_night is distinct from price_scenario or demand_units_night <> demand_units_scenario
