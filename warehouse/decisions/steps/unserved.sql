-- What later decisions read of earlier ones, empty until (and unless) the head that fills it is served.
create or replace temp table in_stock_probabilities (product_id varchar, in_stock_probability double);
create or replace temp table product_qualities (product_id varchar, predicted_quality varchar);
create or replace temp table unit_margins (product_id varchar, unit_margin double);
create or replace temp table wished_purchases (product_index bigint, wished_units double);
create or replace temp table scarce_products (product_index bigint, unit_worth double);
create or replace temp table lost_sales (product_id varchar, site_id varchar, lost_revenue double);
create or replace temp table late_contacts as select 0 as late_orders, 1.0 as late_ratio;
