-- One row per promise that was kept in one of the two nights only.
with earlier as (
    select promise, is_kept
    from before.ops.consistency_checks
    where run_id = (select run_id from before.ops.releases where is_current)
)
select promise, now.meaning, now.is_kept, now.violations, now.example
from tonight.ops.consistency_checks as now
join earlier using (promise)
where now.run_id = getvariable('run_id') and now.is_kept <> earlier.is_kept
order by promise
