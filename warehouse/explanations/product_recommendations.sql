-- Which purchases are explained: those of the scarce products in the queue, by the users most likely to buy them. Lists
-- themselves are too many, and say where a product comes from.
select 'action_queue' as table_name, cast(queue.rank as varchar) as object_id, lists.user_id, lists.product_id
from predictions.action_queue as queue
join predictions.product_recommendations as lists on lists.product_id = queue.object_id
where head = 'recommendation' and lists.user_id <> 'everyone' and not lists.is_holdout
qualify row_number() over (
    partition by queue.rank order by lists.purchase_probability desc, lists.user_id, lists.placement
) <= getvariable('explained_rows_each')
