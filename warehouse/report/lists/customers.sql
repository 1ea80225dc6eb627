-- One row per stage of a customer's life: how many there are, and what they are expected to spend.
select
    lifecycle_stage,
    count(*) as users,
    sum(expected_revenue_28d) as expected_revenue_28d,
    avg(order_probability_28d) as order_probability_28d,
    avg(churn_probability_90d) as churn_probability_90d,
    avg(cast(is_contactable as integer)) as contactable_ratio
from tonight.predictions.user_profiles
group by lifecycle_stage
order by list_position(['new', 'active', 'cooling', 'lapsing', 'lapsed'], lifecycle_stage), lifecycle_stage
