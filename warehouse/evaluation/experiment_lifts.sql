-- One row per variant and metric, of tonight.
insert into ops.experiment_lifts by name
select
    getvariable('run_id') as run_id,
    pairs.experiment,
    pairs.variant,
    control as control_variant,
    pairs.metric,
    cast(own.users as bigint) as users,
    cast(other.users as bigint) as control_users,
    own.total / own.users as value_per_user,
    other.total / other.users as control_value_per_user,
    measured_lifts.* exclude (pair),
    least(own.first_assigned_on, other.first_assigned_on) as first_assigned_on,
    greatest(own.until_date, other.until_date) as until_date
from experiment_pairs as pairs
join measured_lifts using (pair)
join experiment_moments as own
    on own.experiment = pairs.experiment and own.metric = pairs.metric and own.variant = pairs.variant
join experiment_moments as other
    on other.experiment = pairs.experiment and other.metric = pairs.metric and other.variant = control
order by pair
