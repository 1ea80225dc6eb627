-- Where stock is known, no list shows a product that is out of stock or likely to be so within the coming week.
select format('{} in a list {}: in stock with {:.2f}', product_id, placement, in_stock_probability)
from predictions.product_recommendations
join stock using (product_id)
where site_id = 'all'
    and (
        available_units + arriving_7d_units <= 0
        or in_stock_probability < getvariable('minimum_in_stock_probability')
    )
