-- One row per product with a snapshot: the probability that what is there or arrives in the coming week lasts it.
-- A product kept at several sites is in stock for those whose site has it.
create or replace temp table in_stock_probabilities as
select
    product_id,
    sum(site_share * in_stock_probability order by site_id) / sum(site_share order by site_id) as in_stock_probability
from order_plans
join stocked_items using (item_row)
where week_units is not null
group by product_id
