-- One row per coming day, channel and contact reason, with what a contact takes; queue_row numbers them for arrays.
create or replace temp table service_queues as
with solved as (
    select ticket_id, channel, contact_reason, handle_minutes
    from raw.service_tickets
    where handle_minutes is not null and staging.business_date(created_at) < getvariable('as_of_date')
)
select
    cast(row_number() over (order by forecast_date, channel, contact_reason) - 1 as bigint) as queue_row,
    service_days.* replace (
        contacts_mean * late_ratio as contacts_mean,
        contacts_p10 * late_ratio as contacts_p10,
        contacts_p50 * late_ratio as contacts_p50,
        contacts_p90 * late_ratio as contacts_p90
    ),
    late_orders,
    late_ratio,
    minutes.handle_minutes as own_handle_minutes,
    coalesce(minutes.handle_minutes, (select avg(handle_minutes order by ticket_id) from solved)) as handle_minutes,
    service_level,
    answer_within_minutes,
    maximum_occupancy_ratio,
    agent_hour_cost,
    cast(decided.value as bigint) as decided_agents,
    decided.decision_id
from predicted.service_days
left join (
    select channel, contact_reason, avg(handle_minutes order by ticket_id) as handle_minutes from solved group by all
) as minutes using (channel, contact_reason)
left join service_terms using (channel, contact_reason)
left join standing_decisions as decided
    on decided.head = 'service'
    and decided.action = 'overridden'
    and decided.channel = service_days.channel
    and decided.contact_reason = service_days.contact_reason
    and forecast_date < decided.valid_until, late_contacts
order by queue_row
