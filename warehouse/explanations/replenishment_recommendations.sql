-- Whose demand is explained: the items with the largest orders by value at stake, and those in the queue. Demand is
-- forecast for the whole shop, so that all sites of a product have one explanation.
(
    select
        'replenishment_recommendations' as table_name,
        concat_ws('|', product_id, site_id) as object_id,
        product_id
    from predictions.replenishment_recommendations
    order by expected_lost_margin desc nulls last, recommended_order_units desc nulls last, product_id, site_id
    limit getvariable('explained_rows')
)
union all
select 'action_queue', cast(rank as varchar), object_id
from predictions.action_queue
where head = 'supply'
