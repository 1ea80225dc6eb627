-- One row per feature, prediction or table that drifted most from the training window, alerts first.
select
    kind, subject, metric, value, measured_value, threshold, is_alert, reference_mean, current_mean,
    reference_missing_ratio, current_missing_ratio, detail
from tonight.ops.drift_metrics
where run_id = getvariable('run_id') and value is not null
order by is_alert desc nulls last, value / nullif(threshold, 0) desc nulls last, subject, metric
limit 15
