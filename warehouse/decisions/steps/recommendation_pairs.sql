-- One row per user and product that lists may show; pair_row numbers them for arrays, part by part: what a user knows and
-- what is new to the user are the lists buy_again and new_to_you, of both of which for_you is a choice.
create or replace temp table recommendation_pairs as
select
    cast(row_number() over (order by user_index, is_new, product_index) - 1 as bigint) as pair_row,
    2 * user_index + cast(is_new as bigint) as part,
    recommendation.rowid as prediction_row,
    user_index,
    product_index,
    is_new,
    purchase_probability,
    popularity_discount_ratio,
    is_holdout,
    coalesce(order_by, getvariable('order_by')) as order_by,
    coalesce(exploration_ratio, getvariable('exploration_ratio')) as exploration_ratio,
    -- Drawn anew each night, and the same when the night is run again.
    hash(getvariable('as_of_date'), user_id, product_id) / 2.0 ** 64 as lottery
from predicted.recommendation
anti join rejected_products as everywhere
    on everywhere.product_id = recommendation.product_id and everywhere.user_id is null
anti join rejected_products as own
    on own.product_id = recommendation.product_id and own.user_id = recommendation.user_id
join staging.users using (user_id)
join user_groups using (user_id)
join offered_products using (product_id)
where is_recommendable
order by pair_row
