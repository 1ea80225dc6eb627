-- One row per night, day foretold that has passed, channel and reason: contacts, and the hours that they took so far.
with days as (
    select
        staging.business_date(created_at) as forecast_date,
        channel,
        contact_reason,
        count(*) as contacts,
        sum(handle_minutes) / 60 as hours
    from raw.service_tickets
    where staging.business_date(created_at) < getvariable('as_of_date')
    group by all
)
select
    run_id,
    coalesce(contacts, 0) as contacts,
    coalesce(hours, 0) as hours,
    contacts_mean,
    contacts_p10,
    contacts_p50,
    contacts_p90,
    workload_hours,
    base_contacts
from kept.service_forecasts
join due_nights using (run_id)
left join days using (forecast_date, channel, contact_reason)
where forecast_date < observed_until
order by run_id, forecast_date, channel, contact_reason
