-- Who was assigned by a night that nobody saw has not been treated yet; who is treated from an earlier day on, earlier.
delete from ops.experiment_assignments
where run_id not in (select run_id from ops.releases)
    or (
        assigned_on >= getvariable('as_of_date')
        and exists (
            select 1
            from assignments
            where assignments.user_id = experiment_assignments.user_id
                and assignments.experiment = experiment_assignments.experiment
                and assignments.variant = experiment_assignments.variant
        )
    );

insert into ops.experiment_assignments by name
select user_id, experiment, variant, getvariable('as_of_date') as assigned_on, getvariable('run_id') as run_id
from assignments
anti join ops.experiment_assignments using (user_id, experiment, variant)
order by experiment, variant, user_id
