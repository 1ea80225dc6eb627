-- One row per probability and bin: what was said beside what happened.
select head, replace(head || ': ' || task, '_', ' ') as name, bin, predicted_mean, observed_mean, sample_count
from tonight.ops.calibration
where run_id = getvariable('run_id')
order by name, bin
