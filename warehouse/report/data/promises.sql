-- One row per promise between the decisions, broken ones first.
select promise, meaning, is_kept, violations, example
from tonight.ops.consistency_checks
where run_id = getvariable('run_id')
order by is_kept, promise
