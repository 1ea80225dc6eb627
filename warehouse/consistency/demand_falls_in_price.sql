-- A dearer product never sells more: expected units fall along every product's price grid.
select format('{}: {:.3f} units at {}, {:.3f} at the next lower price', product_id, expected_units, price, units_below)
from (
    select
        *,
        lag(expected_units) over (partition by product_id order by price) as units_below
    from predictions.price_responses
)
where expected_units > units_below * (1 + 1e-9)
