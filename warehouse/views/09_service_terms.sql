-- One row per channel and contact reason that was ever asked: what is promised and what it costs. Value by value, the
-- narrowest valid rule that says something wins, then the settings.
create or replace temp table service_terms as
with valid_policies as (
    select
        *,
        row_number() over (
            order by list_position(['contact_reason', 'channel', 'all'], scope), valid_from desc, rule_id
        ) as width
    from raw.service_policies
    where valid_from <= getvariable('as_of_date') and coalesce(valid_to > getvariable('as_of_date'), true)
)
select
    queues.channel,
    queues.contact_reason,
    coalesce(arg_min(service_level, width), getvariable('answered_in_time_ratio')) as service_level,
    coalesce(arg_min(answer_within_minutes, width), getvariable('answer_within_minutes')) as answer_within_minutes,
    coalesce(arg_min(maximum_occupancy_ratio, width), getvariable('maximum_occupancy_ratio'))
        as maximum_occupancy_ratio,
    cast(coalesce(arg_min(agent_hour_cost, width), getvariable('agent_hour_cost')) as double) as agent_hour_cost
from (select distinct channel, contact_reason from raw.service_tickets) as queues
left join valid_policies
    on scope = 'all'
    or (scope = 'channel' and scope_id = queues.channel)
    or (scope = 'contact_reason' and scope_id = queues.contact_reason)
group by all
