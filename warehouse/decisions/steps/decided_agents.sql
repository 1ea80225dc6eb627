-- Agents that people decided, beside those that the promised service level needs, and what hours they save.
delete from ops.decision_effects where run_id = getvariable('run_id') and head = 'service';

insert into ops.decision_effects by name
select
    getvariable('run_id') as run_id,
    decision_id,
    'service' as head,
    'service_forecasts' as table_name,
    concat_ws('|', forecast_date, channel, contact_reason) as object_id,
    required_agents as model_value,
    decided_agents as decided_value,
    (required_agents - decided_agents) * getvariable('open_hours_per_day') * agent_hour_cost as expected_gain,
    'cost' as value_basis,
    if(decided_agents < required_agents, 'service_level', null) as overruled
from service_queues
left join service_staff using (queue_row)
where decision_id is not null
order by object_id
