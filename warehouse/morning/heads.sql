-- One row per head and metric that its release hangs on; a head that was not measured is one row without a metric.
with gate_metrics as (
    select head, task, metric, value, baseline_value, baseline, champion_value, is_higher_better, sample_count
    from ops.model_metrics
    where run_id = $1 and is_gate
)

select
    head_status.head,
    head_status.status,
    head_status.reason,
    gate_metrics.task,
    gate_metrics.metric,
    gate_metrics.value,
    gate_metrics.baseline_value,
    gate_metrics.baseline,
    gate_metrics.champion_value,
    gate_metrics.is_higher_better,
    gate_metrics.sample_count
from ops.head_status
left join gate_metrics using (head)
where head_status.run_id = $1
order by head_status.head, gate_metrics.task, gate_metrics.metric
