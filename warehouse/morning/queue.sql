-- One row per action of the night that is worth most. It goes to pages that forget nobody, so a person is not named.
select
    rank,
    head,
    if(object_type = 'user', replace(action, object_id, format('of rank {}', rank)), action) as action,
    do_by_date,
    round(value_at_stake, 2) as value_at_stake,
    value_basis,
    primary_reason
from predictions.action_queue
where run_id = $1
order by rank
limit $2
