delete from ops.outcome_calibration
where exists (
    from scored_rows as scored
    where scored.run_id = outcome_calibration.run_id and scored.head = outcome_calibration.head
        and scored.task = outcome_calibration.task
);

insert into ops.outcome_calibration by name
from scored_rows
order by as_of_date, run_id, head, task, bin;
