-- One row per night and user whose profile was kept: what was foretold, and what the user did in the window.
with spends as (
    select run_id, user_id, cast(sum(line_total) as double) as spend
    from due_nights
    join staging.order_lines on business_date >= as_of_date and business_date < observed_until
    where user_id is not null
    group by run_id, user_id
),
contacts as (
    select distinct run_id, user_id
    from due_nights
    join raw.service_tickets
        on staging.business_date(created_at) >= as_of_date and staging.business_date(created_at) < observed_until
)
select
    run_id,
    coalesce(spend, 0) as spend,
    spends.user_id is not null as has_ordered,
    contacts.user_id is not null as has_contacted,
    user_profiles.* exclude (run_id, as_of_date, user_id, is_fallback)
from kept.user_profiles
join due_nights using (run_id)
semi join staging.users using (user_id)
left join spends using (run_id, user_id)
left join contacts using (run_id, user_id)
order by run_id, user_id
