-- One row per position of the first list of three users: the best customer, the best of those who are cooling off, and
-- the best newcomer; without such users, the next best.
with users as (
    select
        profiles.*,
        row_number() over (
            partition by lifecycle_stage order by expected_revenue_28d desc, user_id
        ) as place_in_stage,
        row_number() over (order by expected_revenue_28d desc, user_id) as place
    from tonight.predictions.user_profiles as profiles
),
chosen as (
    select *
    from users
    order by
        case
            when place = 1 then 1
            when place_in_stage = 1 and lifecycle_stage in ('cooling', 'lapsing') then 2
            when place_in_stage = 1 and lifecycle_stage = 'new' then 3
            else 4
        end,
        place
    limit 3
)
select
    chosen.place,
    chosen.user_id,
    chosen.segment_name,
    chosen.lifecycle_stage,
    chosen.expected_revenue_28d,
    chosen.order_probability_28d,
    lists.rank,
    titles.title,
    lists.purchase_probability,
    lists.predicted_quality,
    lists.primary_reason
from chosen
join tonight.predictions.product_recommendations as lists using (user_id)
join titles using (product_id)
where lists.placement = 'for_you' and lists.rank <= 5
order by chosen.place, lists.rank
