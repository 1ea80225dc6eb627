-- One row per product and site with a snapshot: revenue that is missed when nothing is ordered.
create or replace temp table lost_sales as
select product_id, site_id, lost_units * cast(price as double) as lost_revenue
from order_plans
join stocked_items using (item_row)
where position_units is not null
