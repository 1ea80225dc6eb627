-- One row per measure of tonight that a head's release hangs on.
select
    head, task, metric, value, baseline_value, baseline, single_task_value, champion_value, is_higher_better, gain,
    sample_count, window_start, window_end
from gate_measures
where run_id = getvariable('run_id')
order by head, task, metric
