-- One row per user, product and cut-off that the item-item model scored: its best products that are new to the user
-- (is_candidate), and those candidates of other generators that it knows.
create or replace table features.similar_products as
select
    user_id,
    product_id,
    cutoff_date,
    user_index,
    product_index,
    score,
    is_candidate
from similarity_scores
join staging.similarity_items using (cutoff_date, item)
join staging.users using (user_index)
join staging.products using (product_index)
-- A popular product may be among the best similar ones, too: it is one candidate.
qualify row_number() over (partition by cutoff_date, user_index, product_index order by is_candidate desc) = 1;
