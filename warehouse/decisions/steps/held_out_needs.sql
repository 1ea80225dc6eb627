-- One row per product that lists may show: the purchases to expect of the held-out users if the list for everyone, which
-- they are shown, has it. Of a user who is no candidate for it, what is expected of anybody. Decimals, so that the sum does
-- not depend on the order in which threads add.
create or replace temp table held_out_needs as
with held_out as (
    select
        product_index,
        count(*) as users,
        cast(sum(cast(purchase_probability as decimal(18, 12))) as double) as units
    from recommendation_pairs
    where is_holdout
    group by product_index
),
everybody as (
    select count(distinct user_index) as users from recommendation_pairs where is_holdout
)
select
    product_index,
    coalesce(held_out.units, 0)
        + (everybody.users - coalesce(held_out.users, 0)) * popular_products.purchase_probability as units
from popular_products
left join held_out using (product_index), everybody
where everybody.users > 0
