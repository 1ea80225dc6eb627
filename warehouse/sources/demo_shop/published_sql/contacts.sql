-- One row per coming day: the contacts that are expected, and the work that they are.
select forecast_date, sum(contacts_mean) as contacts, sum(workload_hours) as workload_hours
from predictions.service_forecasts_latest
group by forecast_date
