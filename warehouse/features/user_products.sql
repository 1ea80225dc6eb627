-- One row per user, product and cut-off for the products that a user bought most and latest: the buy-again
-- candidates. A purchase counts e^(-age / 60 days).
create or replace table features.user_products as
with purchases as (
    select
        user_index,
        product_index,
        cutoff_date,
        cast(cutoff_date - business_date as integer) as age,
        baskets,
        units,
        days_since_previous
    from staging.user_product_days
    join features.recommendation_cutoffs on business_date < cutoff_date
),
pairs as (
    select
        user_index,
        product_index,
        cutoff_date,
        cast(sum(baskets) as integer) as baskets,
        min(age) as recency_days,
        avg(days_since_previous) as gap_mean_days,
        sum(units) as units,
        coalesce(sum(baskets) filter (where age <= 28), 0) as baskets_28d,
        sum(cast(baskets * exp(-age / 30) as decimal(18, 9))) as decayed_30d,
        sum(cast(baskets * exp(-age / 60) as decimal(18, 9))) as decayed_60d,
        sum(cast(baskets * exp(-age / 120) as decimal(18, 9))) as decayed_120d
    from purchases
    group by user_index, product_index, cutoff_date
)
select
    user_index,
    product_index,
    cutoff_date,
    baskets,
    cast(baskets_28d as integer) as baskets_28d,
    recency_days,
    cast(gap_mean_days as float) as gap_mean_days,
    cast(cast(units as double) / baskets as float) as units_per_basket,
    cast(decayed_30d as float) as decayed_30d,
    cast(decayed_60d as float) as decayed_60d,
    cast(decayed_120d as float) as decayed_120d
from pairs
qualify row_number() over (
    partition by cutoff_date, user_index order by pairs.decayed_60d desc, product_index
) <= getvariable('candidates_per_user') // 2;
