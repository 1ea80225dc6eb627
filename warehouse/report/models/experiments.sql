-- One row per experiment, variant and metric: what a user of the variant did beside one of the control.
select
    experiment,
    variant,
    control_variant,
    metric,
    users,
    control_users,
    value_per_user,
    control_value_per_user,
    lift,
    lift_low,
    lift_high,
    coalesce(lift_low > 0 or lift_high < 0, false) as is_beyond_luck
from tonight.ops.experiment_lifts
where run_id = getvariable('run_id')
order by experiment, variant, metric
