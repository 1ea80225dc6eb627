-- One row per day and reason: four weeks as they came, four as expected.
select contact_date as day, contact_reason, 'came' as kind, sum(contacts) as contacts
from ticket_days
group by all
union all
select forecast_date, contact_reason, 'expected', sum(contacts_mean)
from tonight.predictions.service_forecasts
group by all
order by day, contact_reason
