-- One row per head whose standing changed.
with now as (
    select head, status, reason from tonight.ops.head_status where run_id = getvariable('run_id')
),
earlier as (
    select head, status
    from before.ops.head_status
    where run_id = (select run_id from before.ops.releases where is_current)
)
select head, earlier.status as status_before, now.status, now.reason
from now
full join earlier using (head)
where now.status is distinct from earlier.status
order by head
