-- One row per product with a snapshot: the probability that what is there or arrives in the coming week lasts it.
-- A product sold from several sites is in stock where it is most likely to be.
create or replace temp table in_stock_probabilities as
select product_id, max(in_stock_probability) as in_stock_probability
from order_plans
join stocked_items using (item_row)
where week_units is not null
group by product_id
