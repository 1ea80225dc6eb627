-- Where stock is known, the purchases that all lists together are expected to bring stay within what can be promised.
with prospects as (
    -- A user who sees a product in two lists buys it once.
    select product_id, user_id, max(purchase_probability) as units
    from predictions.product_recommendations
    where user_id <> 'everyone'
    group by all
),
expected as (
    select product_id, sum(units) as units from prospects group by product_id
)
select format('{}: {:.2f} expected, {:.2f} can be promised', product_id, units, promisable_units)
from expected
join promisable_units using (product_id)
where units > promisable_units + 1e-6
