-- One row per head and metric that its release hangs on; a head that was not measured is one row without a metric.
with release_before as (
    select run_id
    from ops.releases
    where run_id <> $1 and released_at < (select started_at from ops.runs where run_id = $1)
    order by release_number desc
    limit 1
),

values_before as (
    select head, task, metric, value as previous_value
    from ops.model_metrics
    join release_before using (run_id)
),

gate_metrics as (
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
    values_before.previous_value,
    gate_metrics.is_higher_better,
    gate_metrics.sample_count
from ops.head_status
left join gate_metrics using (head)
left join values_before using (head, task, metric)
where head_status.run_id = $1
order by head_status.head, gate_metrics.task, gate_metrics.metric
