-- One row per promised quantile of demand: the share of weeks at or below it, before and after calibration.
select task, replace(measure, 'coverage_', '') as quantile, wanted, uncalibrated, calibrated, reason
from tonight.ops.calibration_effects
where run_id = getvariable('run_id') and measure like 'coverage%'
order by task, wanted
