-- Whose price sensitivity is explained: the products whose price should change most, and those in the queue.
(
    select 'price_recommendations' as table_name, product_id as object_id, product_id
    from predictions.price_recommendations
    order by abs(cast(recommended_price as double) / nullif(cast(current_price as double), 0) - 1) desc, product_id
    limit getvariable('explained_rows')
)
union all
select 'action_queue', cast(rank as varchar), object_id
from predictions.action_queue
where head = 'pricing'
