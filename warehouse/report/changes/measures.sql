-- One row per measure that a head's release hangs on, in both nights; gain is a share of the value before, above 0 where
-- tonight is better.
with earlier as (
    select head, task, metric, value as value_before
    from before.ops.model_metrics
    where run_id = (select run_id from before.ops.releases where is_current)
)
select
    head,
    task,
    metric,
    value_before,
    value,
    baseline_value,
    is_higher_better,
    if(is_higher_better, 1, -1) * (value / nullif(value_before, 0) - 1) as gain
from gate_measures
join earlier using (head, task, metric)
where run_id = getvariable('run_id')
order by head, task, metric
