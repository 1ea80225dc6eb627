-- What was scored tonight takes the place of what was scored before it. A measure that the release hung on, or that was
-- taken beside, has its promise from there: of the model that served.
create or replace temp table promised_rows as
with beside_gates as (
    select
        scored_rows.*,
        if(status = 'champion', champion_value, model_metrics.value) as gate_value
    from scored_rows
    left join ops.model_metrics using (run_id, head, task, metric)
    left join ops.head_status using (run_id, head)
)
select * exclude (gate_value) replace (
    coalesce(beside_gates.promised_value, gate_value) as promised_value,
    case
        when beside_gates.promised_value is not null then beside_gates.promise
        when gate_value is not null then 'gate'
    end as promise,
    false as is_rolled_back
)
from beside_gates;

delete from ops.outcomes
where exists (
    from promised_rows as scored
    where scored.run_id = outcomes.run_id and scored.head = outcomes.head and scored.task = outcomes.task
        and scored.metric = outcomes.metric
);

insert into ops.outcomes by name
from promised_rows
order by as_of_date, run_id, head, task, metric;
