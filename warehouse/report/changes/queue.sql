-- One row: how many actions are new, and how many of the night before are done or no longer worth it.
with now as (
    select distinct head, object_type, object_id from tonight.predictions.action_queue
),
earlier as (
    select distinct head, object_type, object_id from before.predictions.action_queue
)
select
    count(*) filter (earlier.head is null) as new_actions,
    count(*) filter (now.head is null) as gone_actions,
    count(*) filter (now.head is not null and earlier.head is not null) as standing_actions
from now
full join earlier
    on now.head = earlier.head and now.object_type = earlier.object_type and now.object_id = earlier.object_id
