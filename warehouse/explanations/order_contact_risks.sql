-- Which orders' risk of a contact is explained: the highest, and those in the queue.
(
    select 'order_contact_risks' as table_name, order_id as object_id, order_id
    from predictions.order_contact_risks
    order by contact_probability desc, order_id
    limit getvariable('explained_rows')
)
union all
select 'action_queue', cast(rank as varchar), object_id
from predictions.action_queue
where head = 'service'
