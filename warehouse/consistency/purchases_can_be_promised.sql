-- Where stock is known, the purchases that a list is expected to bring stay within what can be promised.
with promised as (
    select product_id, placement, sum(purchase_probability) as units
    from predictions.product_recommendations
    where user_id <> 'everyone'
    group by all
)
select format('{} in {}: {:.1f} expected, {:.1f} can be promised', product_id, placement, units, available_units)
from promised
join stock using (product_id)
where site_id = 'all' and units > available_units + 1e-6
