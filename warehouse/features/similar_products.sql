-- What the item-item model said, by product.
create or replace temp table similarity_scores as
select cutoff_date, user_index, product_index, score, is_candidate
from item_item_scores
join similarity_items using (cutoff_date, item);

-- One row per user, product and cut-off: the products new to the user that go best with what the user buys.
create or replace table features.similar_products as
select user_id, product_id, cutoff_date, score
from similarity_scores
join staging.users using (user_index)
join staging.products using (product_index)
where is_candidate;
