-- One row: how much was compared with the training window, and how much of it drifted.
select count(*) as compared, count(*) filter (is_alert) as drifted
from tonight.ops.drift_metrics
where run_id = getvariable('run_id')
