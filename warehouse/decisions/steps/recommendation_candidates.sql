-- One row per list and product that it may show; the list for everyone has no pairs, so these are -1. Held-out users
-- have no lists of their own.
create or replace temp table recommendation_candidates as
with listed as (
    select
        pair_row,
        unnest(if(is_new, [1, 3], [1, 2])) as placement_number,
        user_index,
        product_index,
        purchase_probability,
        popularity_discount_ratio,
        order_by,
        exploration_ratio,
        lottery
    from recommendation_pairs
    where not is_holdout
    union all
    select
        -1,
        4,
        -1,
        product_index,
        purchase_probability,
        1,
        getvariable('order_by'),
        getvariable('exploration_ratio'),
        hash(getvariable('as_of_date'), product_index) / 2.0 ** 64
    from popular_products
),
-- What a purchase earns, where lists are to earn margin. A product without a cost is taken for a usual one.
worths as (
    select
        product_index,
        coalesce(unit_margin, (select median(unit_margin) from unit_margins), 1) as unit_worth
    from offered_products
    left join unit_margins using (product_id)
)
select
    pair_row,
    placement_number,
    4 * (user_index + 1) + placement_number as list_number,
    product_index,
    purchase_probability,
    -- Users' own lists make room for what is not on everybody's.
    purchase_probability * popularity_discount_ratio * if(order_by = 'margin', unit_worth, 1) * coalesce(boost, 1)
        as score,
    cap,
    coalesce(if(cap_rule is null, -1, cap_number), -1) as cap_number,
    exploration_ratio,
    lottery
from listed
join worths using (product_index)
left join list_policies using (product_index, placement_number)
where not coalesce(is_excluded, false)
