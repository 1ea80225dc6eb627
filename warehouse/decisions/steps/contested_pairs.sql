-- One row per user and product that is in a list of the user: what the best of these lists has of it. A user who sees a
-- product in two lists buys it once, so pairs, not rows of lists, use up what there is of a product.
create or replace temp table contested_pairs as
select
    pair_row,
    any_value(part) as part,
    any_value(recommendation_pairs.product_index) as product_index,
    greatest(max(score), 0) as worth,
    any_value(recommendation_pairs.purchase_probability) as need
from recommendation_candidates
join recommendation_pairs using (pair_row)
group by pair_row
order by pair_row
