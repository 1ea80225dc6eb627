-- One row per list and product that the scenario shows to more or fewer users, or expects to sell otherwise. Decimals, so
-- that the sums do not depend on the order in which threads add.
with nights as (
    select
        placement,
        product_id,
        count(*) as users,
        cast(sum(cast(purchase_probability as decimal(18, 12))) as double) as purchases,
        cast(sum(cast(expected_margin as decimal(18, 12))) as double) as margin
    from night.predictions.product_recommendations
    group by placement, product_id
),
scenarios as (
    select
        placement,
        product_id,
        count(*) as users,
        cast(sum(cast(purchase_probability as decimal(18, 12))) as double) as purchases,
        cast(sum(cast(expected_margin as decimal(18, 12))) as double) as margin
    from predictions.product_recommendations
    group by placement, product_id
)
select
    placement,
    product_id,
    coalesce(nights.users, 0) as users_night,
    coalesce(scenarios.users, 0) as users_scenario,
    coalesce(nights.purchases, 0) as purchases_night,
    coalesce(scenarios.purchases, 0) as purchases_scenario,
    if(nights.users is null, 0, nights.margin) as margin_night,
    if(scenarios.users is null, 0, scenarios.margin) as margin_scenario
from nights
full join scenarios using (placement, product_id)
where (nights.users, nights.purchases, nights.margin)
    is distinct from (scenarios.users, scenarios.purchases, scenarios.margin)
