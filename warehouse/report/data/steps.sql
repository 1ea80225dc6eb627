-- One row per step of the night before the release, in order.
select step, status, seconds, detail
from tonight.ops.run_steps
where run_id = getvariable('run_id')
order by started_at
