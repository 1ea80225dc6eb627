-- The price behind the margin that a list expects is the price that is set tonight, else the one in force.
with charged as (
    select
        product_id,
        if(review_status = 'auto_apply', recommended_price, current_price) as price
    from predictions.price_recommendations
),
shown as (
    select distinct product_id, round(expected_margin / purchase_probability, 6) as unit_margin
    from predictions.product_recommendations
    where purchase_probability > 0 and expected_margin is not null
)
select format(
    '{}: shown at {:.4f}, set to {:.4f}', product_id, unit_margin + cast(unit_cost as double), cast(price as double)
)
from shown
join charged using (product_id)
join offered_products using (product_id)
-- Prices of several sites are averaged over units that are rounded.
where abs(unit_margin + cast(unit_cost as double) - cast(price as double)) > greatest(0.001, 0.0001 * cast(price as double))
