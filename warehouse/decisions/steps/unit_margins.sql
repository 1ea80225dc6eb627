-- One row per product with a price and a known cost: what one unit earns at the price that will be charged.
create or replace temp table unit_margins as
select product_id, cast(arg_min(price_assumed, week_start) - any_value(unit_cost) as double) as unit_margin
from charged_demand
join offered_products using (product_id)
where price_assumed is not null and unit_cost is not null
group by product_id
