-- One row per user: what the night said, what is true, and whether an order followed.
with ordered as (
    select distinct user_id from landed_orders where ordered_at >= getvariable('as_of_date')
)
select
    user_id,
    order_probability_28d as probability,
    purchase_probability as true_probability,
    ordered.user_id is not null as happened
from night.predictions.user_profiles
join true_purchases using (user_id)
left join ordered using (user_id)
