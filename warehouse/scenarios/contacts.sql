-- One row per coming day, channel and contact reason whose contacts the scenario changes.
select
    forecast_date,
    channel,
    contact_reason,
    night.contacts_mean as contacts_night,
    scenario.contacts_mean as contacts_scenario,
    night.workload_hours as workload_hours_night,
    scenario.workload_hours as workload_hours_scenario,
    night.required_agents as required_agents_night,
    scenario.required_agents as required_agents_scenario
from night.predictions.service_forecasts as night
join predictions.service_forecasts as scenario using (forecast_date, channel, contact_reason)
-- Hours are contacts times minutes that the scenario leaves as they are.
where (night.contacts_mean, night.required_agents) is distinct from (scenario.contacts_mean, scenario.required_agents)
