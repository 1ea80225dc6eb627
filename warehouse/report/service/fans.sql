-- One row per day of the four busiest queues (a channel and a reason): four weeks as they came, four with their range.
with busiest as (
    select
        channel,
        contact_reason,
        row_number() over (order by sum(contacts_mean) desc, channel, contact_reason) as place,
        channel || ', ' || replace(contact_reason, '_', ' ') as queue
    from tonight.predictions.service_forecasts
    group by channel, contact_reason
    order by place
    limit 4
),
days as (
    select cast(getvariable('as_of_date') - cast(number as integer) as date) as day
    from range(1, 29) as numbers (number)
),
came as (
    select place, queue, day, coalesce(contacts, 0) as came
    from busiest
    cross join days
    left join ticket_days
        on ticket_days.channel = busiest.channel
        and ticket_days.contact_reason = busiest.contact_reason
        and ticket_days.contact_date = days.day
),
ahead as (
    select place, queue, forecast_date as day, contacts_p10, contacts_p50, contacts_p90
    from tonight.predictions.service_forecasts
    join busiest using (channel, contact_reason)
)
from (from came union all by name from ahead)
order by place, day
