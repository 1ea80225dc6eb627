-- One row per user, product and cut-off for the products that a user bought most and latest: the buy-again
-- candidates. A purchase counts e^(-age / 120 days) there: of 30, 60
-- and 120 days, the memory that ranks next month's purchases best on a validation window.
create or replace table features.user_products as
with standing as (
    select user_product_days.*, cutoff_date, cast(getvariable('as_of_date') as date) - cutoff_date as days_to_as_of
    from user_product_days
    join features.recommendation_cutoffs
        on business_date < cutoff_date and (next_date is null or next_date >= cutoff_date)
),
best as (
    select
        user_index,
        cutoff_date,
        unnest(arg_max(
            product_index, (decayed_120d, -product_index), getvariable('candidates_per_user') // 2
        )) as product_index
    from standing
    group by user_index, cutoff_date
)
select
    user_id,
    product_id,
    cutoff_date,
    user_index,
    product_index,
    total_baskets as baskets,
    cast(cutoff_date - business_date as integer) as recency_days,
    cast((business_date - first_date) / nullif(purchase_number - 1, 0) as float) as gap_mean_days,
    cast(total_units / total_baskets as float) as units_per_basket,
    cast(decayed_30d * exp(days_to_as_of / 30) as float) as decayed_30d,
    cast(decayed_60d * exp(days_to_as_of / 60) as float) as decayed_60d,
    cast(decayed_120d * exp(days_to_as_of / 120) as float) as decayed_120d
from best
join standing using (user_index, product_index, cutoff_date)
join staging.users using (user_index)
join staging.products using (product_index);
