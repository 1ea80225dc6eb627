-- One row: today's and the coming weeks' contacts beside those of the last four weeks.
with today as (
    select
        sum(contacts_mean) as contacts,
        sum(workload_hours) as hours,
        sum(required_agents) as agents
    from tonight.predictions.service_forecasts
    where forecast_date = getvariable('as_of_date')
),
days as (
    select forecast_date, sum(contacts_mean) as contacts
    from tonight.predictions.service_forecasts
    group by forecast_date
),
ahead as (
    select
        avg(contacts) as mean_contacts,
        max(contacts) filter (forecast_date < getvariable('as_of_date') + 7) as busiest_contacts,
        arg_max(forecast_date, contacts) filter (forecast_date < getvariable('as_of_date') + 7) as busiest_date
    from days
),
before_now as (
    select sum(contacts) / 28 as usual_contacts from ticket_days
),
risks as (
    select
        count(*) as orders_watched,
        count(*) filter (is_message_worthwhile) as messages,
        sum(expected_saving) filter (is_message_worthwhile) as saving,
        sum(contact_probability) as expected_contacts
    from tonight.predictions.order_contact_risks
),
tickets as (
    select
        count(*) as open_tickets,
        count(*) filter (sla_breach_probability > 0.5) as likely_missed,
        sum(expected_handle_minutes) / 60 as open_hours
    from tonight.predictions.ticket_predictions
)
from today, ahead, before_now, risks, tickets
