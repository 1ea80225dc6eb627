-- One row per step of the night, in the order in which they ran.
select step, status, seconds, detail
from ops.run_steps
where run_id = $1
order by started_at
