-- One row per day of the last four weeks before the as-of date, channel and reason for which customers got in touch.
create or replace temp view ticket_days as
select
    staging.business_date(created_at) as contact_date,
    channel,
    contact_reason,
    cast(count(*) as double) as contacts
from raw.service_tickets
where staging.business_date(created_at) < getvariable('as_of_date')
    and staging.business_date(created_at) >= getvariable('as_of_date') - 28
group by all
