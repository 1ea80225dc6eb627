-- One row per product and scope that a rule may name; the narrowest has the smallest width.
create or replace temp view product_scopes as
select product_id, 'product' as scope, product_id as scope_id, 1 as width from offered_products
union all
select product_id, 'brand', brand, 2 from offered_products where brand is not null
union all
select product_id, 'category', category, 3 from offered_products where category is not null
union all
select product_id, 'all', '', 4 from offered_products
