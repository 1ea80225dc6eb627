-- One row per product whose stock is known: the units that lists may promise for the coming 28 days. They are there
-- now, or on the way and 90% certain to arrive in time, or ordered tonight from a supplier who is that quick.
create or replace temp view promisable_units as
with ordered as (
    select product_id, sum(recommended_order_units) as units
    from predictions.replenishment_recommendations
    where lead_time_days_p90 <= 28
    group by product_id
)
select
    product_id,
    greatest(available_units + arriving_28d_units + coalesce(ordered.units, 0), 0) as promisable_units
from stock
left join ordered using (product_id)
where site_id = 'all'
