-- One row per ticket and moment that it is looked at: when it is opened, and on each morning on which it is still open;
-- tonight, what is open. The promise is missed by a late first answer or a late solution. Empty without tickets.
create or replace table samples.service_tickets as
with bounds as (
    select
        cast(getvariable('as_of_date') as date) as as_of,
        cast(getvariable('horizon_days') as integer) as horizon,
        (select min(origin_date) from features.service_origins) as earliest
),
-- Value by value, the narrowest rule that is valid tonight wins, then the settings.
policies as (
    select
        channel,
        contact_reason,
        arg_min(answer_within_minutes, preference) as answer_within_minutes,
        arg_min(solve_within_minutes, preference) as solve_within_minutes
    from (select distinct channel, contact_reason from known_contacts) as queues
    join (
        select
            *,
            row_number() over (
                order by list_position(['contact_reason', 'channel', 'all'], scope), valid_from desc, rule_id
            ) as preference
        from raw.service_policies
        where valid_from <= getvariable('as_of_date') and coalesce(valid_to > getvariable('as_of_date'), true)
    ) as rules
        on scope = 'all'
        or (scope = 'channel' and scope_id = queues.channel)
        or (scope = 'contact_reason' and scope_id = queues.contact_reason)
    group by channel, contact_reason
),
local_contacts as (
    select
        * exclude (created_at, first_replied_at, solved_at),
        staging.local_time(created_at) as created_at,
        staging.local_time(first_replied_at) as replied_at,
        staging.local_time(solved_at) as solved_at
    from known_contacts
),
tickets as (
    select
        local_contacts.*,
        created_at + to_minutes(cast(
            coalesce(answer_within_minutes, getvariable('answer_within_minutes')) as integer
        )) as answer_by,
        created_at + to_minutes(cast(
            coalesce(solve_within_minutes, getvariable('solve_within_minutes')) as integer
        )) as solve_by,
        list_position(['low', 'normal', 'high', 'urgent'], priority) - 1 as priority_number
    from local_contacts
    left join policies using (channel, contact_reason)
),
judged as (
    select
        *,
        cast(solved_at as date) as solved_date,
        coalesce(replied_at > answer_by, false) or coalesce(solved_at > solve_by, false) as is_missed
    from tickets
),
looks as (
    select *, created_date as origin_date, created_at as seen_at from judged
    union all
    select judged.*, created_date + cast(day as integer) as origin_date, cast(origin_date as timestamp) as seen_at
    from judged, bounds, range(1, horizon + 1) as mornings (day)
    where origin_date <= as_of and coalesce(solved_date >= origin_date, true)
),
-- What is known when the next fold begins is a label.
folds as (
    select
        looks.*,
        case
            when origin_date = as_of then 'serve'
            when origin_date >= as_of - horizon then 'test'
            when origin_date >= as_of - 2 * horizon then 'validation'
            else 'train'
        end as fold,
        case fold when 'serve' then origin_date when 'test' then as_of when 'validation' then as_of - horizon
            else as_of - 2 * horizon end as known_until
    from looks, bounds
    where origin_date >= earliest
),
-- What tickets of a kind took and missed so far, by the day on which that was known.
solved_days as (
    select contact_reason, channel, solved_date, count(*) as tickets, sum(handle_minutes) as minutes,
        count(*) filter (where is_missed) as missed
    from judged
    where handle_minutes is not null and solved_date is not null
    group by contact_reason, channel, solved_date
),
reason_records as (
    select
        origin_date,
        contact_reason,
        (sum(cast(minutes as decimal(18, 4))) + 5 * any_value(usual_minutes)) / (sum(tickets) + 5) as minutes,
        (sum(missed) + 5 * any_value(usual_missed)) / (sum(tickets) + 5) as missed_ratio
    from (
        select
            origin_date,
            solved_days.*,
            sum(cast(minutes as decimal(18, 4))) over of_origin / sum(tickets) over of_origin as usual_minutes,
            sum(missed) over of_origin / sum(tickets) over of_origin as usual_missed
        from (select distinct origin_date from folds) as origins
        join solved_days on solved_date < origin_date
        window of_origin as (partition by origin_date)
    )
    group by origin_date, contact_reason
),
channel_records as (
    select origin_date, channel, sum(cast(minutes as decimal(18, 4))) / sum(tickets) as minutes
    from (select distinct origin_date from folds) as origins
    join solved_days on solved_date < origin_date
    group by origin_date, channel
),
-- A few tickets of each priority are added, so that none is impossible.
priority_records as (
    select
        origin_date,
        contact_reason,
        (count(*) filter (where priority_number = 0) + 0.5) / (count(*) + 2) as low,
        (count(*) filter (where priority_number = 1) + 0.5) / (count(*) + 2) as normal,
        (count(*) filter (where priority_number = 2) + 0.5) / (count(*) + 2) as high,
        (count(*) filter (where priority_number = 3) + 0.5) / (count(*) + 2) as urgent
    from (select distinct origin_date from folds) as origins
    join judged on created_date < origin_date and priority_number is not null
    group by origin_date, contact_reason
),
loads as (
    select
        origin_date,
        count(*) filter (where coalesce(solved_date >= origin_date, true)) as open_tickets,
        count(*) filter (where created_date >= origin_date - 28) / 28 as tickets_per_day
    from (select distinct origin_date from folds) as origins
    join judged on created_date < origin_date and created_date >= origin_date - 56
    group by origin_date
),
described as (
    select cutoff_date from features.cutoffs where fold in ('serve', 'test', 'validation', 'train')
)
select
    ticket_id,
    cast(seen_at as timestamp) as seen_at,
    folds.user_id,
    folds.product_id,
    origin_date,
    coalesce(described.cutoff_date, origin_date) as cutoff_date,
    fold,
    case when solved_date < known_until then cast(handle_minutes as float) end as label_handle_minutes,
    case when solved_date < known_until then cast(is_missed as integer) end as label_missed,
    case when fold <> 'serve' then cast(priority_number as integer) end as label_priority,
    cast(coalesce(reason_records.minutes, 10) as float) as base_handle_minutes,
    cast(coalesce(missed_ratio, 0.1) as float) as base_missed,
    cast(coalesce(low, 0.25) as float) as base_priority_low,
    cast(coalesce(normal, 0.25) as float) as base_priority_normal,
    cast(coalesce(high, 0.25) as float) as base_priority_high,
    cast(coalesce(urgent, 0.25) as float) as base_priority_urgent,
    -- Tonight a promise may be missed already.
    (answer_by < seen_at and coalesce(replied_at > answer_by, true)) or solve_by < seen_at as is_missed_by_now,
    cast(date_diff('minute', created_at, seen_at) / 60 as float) as ctx_age_hours,
    coalesce(replied_at < seen_at, false) as ctx_is_replied,
    cast(date_diff('minute', seen_at, answer_by) / 60 as float) as ctx_hours_to_answer,
    cast(date_diff('minute', seen_at, solve_by) / 60 as float) as ctx_hours_to_solve,
    cast(date_diff('minute', created_date, created_at) / 60 as float) as ctx_created_hour,
    isodow(created_date) >= 6 as ctx_is_weekend,
    cast(ln(reason_records.minutes) as float) as ctx_log_reason_minutes,
    cast(ln(channel_records.minutes / reason_records.minutes) as float) as ctx_log_channel_over_reason_minutes,
    cast(ln(channel_records.minutes) as float) as ctx_log_channel_minutes,
    cast(missed_ratio as float) as ctx_reason_missed_ratio,
    cast(open_tickets / (tickets_per_day + 1) as float) as ctx_open_tickets_in_days,
    cast(tickets_per_day as float) as ctx_tickets_per_day,
    folds.order_id is not null as ctx_is_about_order,
    cast(origin_date - business_date as integer) as ctx_order_age_days,
    cast(spend as float) as ctx_order_spend
from folds
left join reason_records using (origin_date, contact_reason)
left join channel_records using (origin_date, channel)
left join priority_records using (origin_date, contact_reason)
left join loads using (origin_date)
left join order_facts on order_facts.order_id = folds.order_id
asof left join described on described.cutoff_date <= folds.origin_date
order by origin_date, ticket_id, seen_at;
