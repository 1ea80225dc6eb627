-- One row per coming day, channel and contact reason, with what a contact takes; queue_row numbers them for arrays.
create or replace temp table service_queues as
with solved as (
    select channel, contact_reason, handle_minutes
    from raw.service_tickets
    where handle_minutes is not null and staging.business_date(created_at) < getvariable('as_of_date')
),
valid_policies as (
    select *
    from raw.service_policies
    where valid_from <= getvariable('as_of_date') and coalesce(valid_to > getvariable('as_of_date'), true)
),
policies as (
    select
        queues.channel,
        queues.contact_reason,
        arg_min(service_level, width) as service_level,
        arg_min(answer_within_minutes, width) as answer_within_minutes,
        arg_min(maximum_occupancy_ratio, width) as maximum_occupancy_ratio,
        arg_min(agent_hour_cost, width) as agent_hour_cost
    from (select distinct channel, contact_reason from predicted.service_days) as queues
    join (
        select
            *,
            row_number() over (
                order by list_position(['contact_reason', 'channel', 'all'], scope), valid_from desc, rule_id
            ) as width
        from valid_policies
    ) as ranked
        on scope = 'all'
        or (scope = 'channel' and scope_id = queues.channel)
        or (scope = 'contact_reason' and scope_id = queues.contact_reason)
    group by all
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
    coalesce(minutes.handle_minutes, (select avg(handle_minutes) from solved)) as handle_minutes,
    coalesce(service_level, getvariable('answered_in_time_ratio')) as service_level,
    coalesce(answer_within_minutes, getvariable('answer_within_minutes')) as answer_within_minutes,
    coalesce(maximum_occupancy_ratio, getvariable('maximum_occupancy_ratio')) as maximum_occupancy_ratio,
    cast(coalesce(agent_hour_cost, getvariable('agent_hour_cost')) as double) as agent_hour_cost
from predicted.service_days
left join (
    select channel, contact_reason, avg(handle_minutes) as handle_minutes from solved group by all
) as minutes using (channel, contact_reason)
left join policies using (channel, contact_reason), late_contacts
order by queue_row
