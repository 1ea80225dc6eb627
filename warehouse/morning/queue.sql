-- One row per action of the night that is worth most.
select rank, head, action, do_by_date, round(value_at_stake, 2) as value_at_stake, value_basis, primary_reason
from predictions.action_queue
where run_id = $1
order by rank
limit $2
