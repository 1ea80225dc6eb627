-- One row per user, cut-off and popular item that the user has not bought before.
create or replace temp table popular_unseen as
with known_users as (
    select distinct user_index, cutoff_date from features.user_products
),
-- Enough that something is left also for those who have bought most of it.
most_popular as (
    select product_index, cutoff_date, popularity_rank
    from features.popular_products
    where popularity_rank <= getvariable('candidates_per_user')
)
select user_index, product_index, cutoff_date
from known_users
join most_popular using (cutoff_date)
where not exists (
    from user_product_days as earlier
    where earlier.user_index = known_users.user_index
        and earlier.product_index = most_popular.product_index
        and earlier.purchase_number = 1
        and earlier.business_date < known_users.cutoff_date
)
qualify row_number() over (partition by user_index, cutoff_date order by popularity_rank)
    <= getvariable('candidates_per_user') * 15 // 100;
