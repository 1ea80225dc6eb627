-- One row per product that lists may show and whose stock is known: the purchases that they may bring. None of what is
-- out of stock or likely to be so within the coming week.
create or replace temp table product_budgets as
select
    product_index,
    if(
        available_units + arriving_7d_units <= 0
            or in_stock_probability < getvariable('minimum_in_stock_probability'),
        0,
        promisable_units
    ) as budget
from promisable_units
join offered_products using (product_id)
join stock using (product_id)
left join in_stock_probabilities using (product_id)
where site_id = 'all'
