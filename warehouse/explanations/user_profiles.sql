-- Whose chance of an order is explained: the users expected to spend most, and those in the queue.
(
    select 'user_profiles' as table_name, user_id as object_id, user_id
    from predictions.user_profiles
    order by expected_revenue_28d desc, user_id
    limit getvariable('explained_rows')
)
union all
select 'action_queue', cast(rank as varchar), object_id
from predictions.action_queue
where head = 'profile'
