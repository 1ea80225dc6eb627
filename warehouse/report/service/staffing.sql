-- One row per coming day of the next two weeks and channel: the hours of work, and the agents if each reason has its own.
select
    forecast_date as day,
    channel,
    sum(contacts_mean) as contacts,
    sum(workload_hours) as hours,
    sum(required_agents) as agents
from tonight.predictions.service_forecasts
where forecast_date < getvariable('as_of_date') + 14
group by all
order by all
