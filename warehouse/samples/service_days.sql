-- One row per day ahead of an origin, channel and contact reason: how many contacts. Empty without tickets.
create or replace table samples.service_days as
with contact_days as (
    select channel, contact_reason, created_date, count(*) as contacts
    from known_contacts
    group by all
),
first_contact as (
    select min(created_date) as first_date from contact_days
),
-- A queue exists from its first contact on; its days count from the shop's first contact.
queues as (
    select
        origin_date,
        cutoff_date,
        fold,
        channel,
        contact_reason,
        least(origin_date - any_value(first_date), 56) as known_days,
        coalesce(sum(contacts) filter (where created_date >= origin_date - 7), 0) as contacts_7d,
        coalesce(sum(contacts) filter (where created_date >= origin_date - 28), 0) as contacts_28d,
        coalesce(sum(contacts) filter (where created_date >= origin_date - 56), 0) as contacts_56d
    from features.service_origins
    join contact_days on created_date < origin_date, first_contact
    group by origin_date, cutoff_date, fold, channel, contact_reason
),
weekday_habits as (
    select origin_date, channel, contact_reason, isodow(created_date) as weekday, sum(contacts) as contacts
    from features.service_origins
    join contact_days on created_date < origin_date and created_date >= origin_date - 56
    group by all
),
-- How much more than on an average day all queues get on a weekday.
weekday_ratios as (
    select
        origin_date,
        weekday,
        7 * (sum(contacts) + 1) / (sum(sum(contacts)) over (partition by origin_date) + 7) as weekday_ratio
    from weekday_habits
    group by origin_date, weekday
),
-- Contacts follow orders: how many there were, and how many customers still wait for theirs.
order_records as (
    select
        origin_date,
        count(*) filter (where business_date >= origin_date - 7) / 7 as orders_per_day_7d,
        count(*) / 28 as orders_per_day_28d,
        count(*) filter (where coalesce(delivered_date >= origin_date, true)) as open_orders,
        count(*) filter (where coalesce(delivered_date >= origin_date, true) and promised_date < origin_date)
            as overdue_orders
    from features.service_origins
    join order_facts on business_date < origin_date and business_date >= origin_date - 28
    group by origin_date
),
-- What kind of reason it is: asked before the delivery, when it was late, or afterwards.
reason_records as (
    select
        origin_date,
        contact_reason,
        (count(*) filter (where coalesce(delivered_date >= created_date, true)) + 1) / (count(*) + 2)
            as before_delivery_share,
        (count(*) filter (where coalesce(delivered_date >= created_date, true) and promised_date < created_date) + 1)
            / (count(*) + 2) as overdue_share
    from features.service_origins
    join known_tickets on created_date < origin_date
    join order_facts using (order_id)
    group by origin_date, contact_reason
),
days_ahead as (
    select queues.*, origin_date + cast(day as integer) as forecast_date, cast(day as integer) as days_ahead
    from queues, range(0, getvariable('horizon_days')) as days (day)
)
select
    forecast_date,
    days_ahead.channel,
    days_ahead.contact_reason,
    days_ahead.origin_date,
    cutoff_date,
    fold,
    case when fold <> 'serve' then cast(coalesce(contact_days.contacts, 0) as integer) end as label_contacts,
    cast(coalesce(weekday_habits.contacts, 0) / (known_days / 7) as float) as base_contacts,
    cast(contacts_28d / least(known_days, 28) as float) as base_contacts_28d,
    -- The queue's own rate, on that weekday, if orders go on as in the last week.
    cast(
        (contacts_56d + 0.5) / known_days * coalesce(weekday_ratio, 1)
            * coalesce(least(greatest(orders_per_day_7d / nullif(orders_per_day_28d, 0), 0.5), 2) ** 0.5, 1) as float
    ) as base_contacts_expected,
    cast(ln((contacts_7d + 1) / 7 / ((contacts_56d + 1) / known_days)) as float) as ctx_log_trend_7d,
    cast(ln((contacts_28d + 1) / least(known_days, 28) / ((contacts_56d + 1) / known_days)) as float) as ctx_log_trend_28d,
    cast(ln((contacts_56d + 0.5) / known_days) as float) as ctx_log_contacts_per_day,
    cast(before_delivery_share as float) as ctx_before_delivery_share,
    cast(overdue_share as float) as ctx_overdue_share,
    -- Overdue orders ask where they are now, not in three weeks.
    cast(overdue_share * overdue_orders / (orders_per_day_28d + 1) * exp(-days_ahead / 4) as float) as ctx_overdue_now,
    days_ahead as ctx_days_ahead,
    isodow(forecast_date) = 1 as ctx_is_monday,
    isodow(forecast_date) = 2 as ctx_is_tuesday,
    isodow(forecast_date) = 3 as ctx_is_wednesday,
    isodow(forecast_date) = 4 as ctx_is_thursday,
    isodow(forecast_date) = 5 as ctx_is_friday,
    isodow(forecast_date) = 6 as ctx_is_saturday,
    isodow(forecast_date) = 7 as ctx_is_sunday
from days_ahead
left join order_records on order_records.origin_date = days_ahead.origin_date
left join reason_records
    on reason_records.origin_date = days_ahead.origin_date
    and reason_records.contact_reason = days_ahead.contact_reason
left join weekday_ratios
    on weekday_ratios.origin_date = days_ahead.origin_date and weekday_ratios.weekday = isodow(forecast_date)
left join weekday_habits
    on weekday_habits.origin_date = days_ahead.origin_date
    and weekday_habits.channel = days_ahead.channel
    and weekday_habits.contact_reason = days_ahead.contact_reason
    and weekday_habits.weekday = isodow(forecast_date)
left join contact_days
    on contact_days.created_date = forecast_date
    and contact_days.channel = days_ahead.channel
    and contact_days.contact_reason = days_ahead.contact_reason
order by days_ahead.origin_date, forecast_date, days_ahead.channel, days_ahead.contact_reason;
