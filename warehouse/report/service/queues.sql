-- One row per channel and reason: what today brings, most work first.
select
    channel, contact_reason, contacts_mean, contacts_p10, contacts_p90, workload_hours, required_agents
from tonight.predictions.service_forecasts
where forecast_date = getvariable('as_of_date')
order by workload_hours desc nulls last, channel, contact_reason
