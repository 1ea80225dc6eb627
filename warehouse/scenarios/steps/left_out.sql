-- One row per promotion of the scenario and product of its categories that it leaves out, and why.
create or replace temp table left_out as
select promotion_id, product_id, obstacle as why
from asked_promotions
join askable_products using (product_id)
where is_of_category and obstacle is not null
union
select promotion_id, product_id, 'is in another promotion on some of these days'
from promoted_already
join asked_promotions using (promotion_id, product_id)
join askable_products using (product_id)
where is_of_category and obstacle is null
