-- One row per day ahead, channel and contact reason, and cut-off: how many contacts. Empty without tickets.
create or replace table samples.service_days as
with tickets as (
    select channel, contact_reason, staging.business_date(created_at) as business_date
    from raw.service_tickets
),
ticket_days as (
    select channel, contact_reason, business_date, count(*) as contacts
    from tickets
    where business_date < cast(getvariable('as_of_date') as date)
    group by all
),
order_days as (
    select business_date, count(distinct order_id) as orders from known_lines group by business_date
),
cutoffs as (
    select cutoff_date, fold
    from features.cutoffs
    where fold in ('serve', 'test', 'validation', 'train')
        and cutoff_date > (select min(business_date) from ticket_days)
),
queues as (
    select
        cutoff_date,
        fold,
        channel,
        contact_reason,
        sum(contacts) filter (where business_date >= cutoff_date - 7) as contacts_7d,
        sum(contacts) filter (where business_date >= cutoff_date - 28) as contacts_28d,
        sum(contacts) filter (where business_date >= cutoff_date - 56) as contacts_56d,
        least(cutoff_date - min(min(business_date)) over (partition by cutoff_date), 56) as known_days
    from cutoffs
    join ticket_days on business_date < cutoff_date
    group by cutoff_date, fold, channel, contact_reason
),
weekday_habits as (
    select cutoff_date, channel, contact_reason, isodow(business_date) as weekday, sum(contacts) as contacts
    from cutoffs
    join ticket_days on business_date < cutoff_date and business_date >= cutoff_date - 56
    group by all
),
recent_orders as (
    select
        cutoff_date,
        sum(orders) filter (where business_date >= cutoff_date - 7) as orders_7d,
        sum(orders) as orders_28d
    from cutoffs
    join order_days on business_date < cutoff_date and business_date >= cutoff_date - 28
    group by cutoff_date
),
days_ahead as (
    select queues.*, cutoff_date + cast(day as integer) as forecast_date, cast(day as integer) as days_ahead
    from queues, range(0, getvariable('horizon_days')) as days (day)
)
select
    forecast_date,
    days_ahead.channel,
    days_ahead.contact_reason,
    days_ahead.cutoff_date,
    days_ahead.cutoff_date + 7 * (days_ahead // 7) as calendar_date,
    fold,
    case when fold <> 'serve' then cast(coalesce(ticket_days.contacts, 0) as integer) end as label_contacts,
    cast(coalesce(weekday_habits.contacts, 0) / (known_days / 7) as float) as base_contacts,
    cast(coalesce(contacts_7d, 0) / 7 as float) as ctx_contacts_per_day_7d,
    cast(coalesce(contacts_28d, 0) / least(known_days, 28) as float) as ctx_contacts_per_day_28d,
    cast(coalesce(contacts_56d, 0) / known_days as float) as ctx_contacts_per_day_56d,
    cast(orders_7d / 7 as float) as ctx_orders_per_day_7d,
    cast(orders_28d / 28 as float) as ctx_orders_per_day_28d,
    days_ahead as ctx_days_ahead,
    isodow(forecast_date) = 1 as ctx_is_monday,
    isodow(forecast_date) = 2 as ctx_is_tuesday,
    isodow(forecast_date) = 3 as ctx_is_wednesday,
    isodow(forecast_date) = 4 as ctx_is_thursday,
    isodow(forecast_date) = 5 as ctx_is_friday,
    isodow(forecast_date) = 6 as ctx_is_saturday,
    isodow(forecast_date) = 7 as ctx_is_sunday
from days_ahead
left join recent_orders on recent_orders.cutoff_date = days_ahead.cutoff_date
left join weekday_habits
    on weekday_habits.cutoff_date = days_ahead.cutoff_date
    and weekday_habits.channel = days_ahead.channel
    and weekday_habits.contact_reason = days_ahead.contact_reason
    and weekday_habits.weekday = isodow(forecast_date)
left join ticket_days
    on ticket_days.business_date = forecast_date
    and ticket_days.channel = days_ahead.channel
    and ticket_days.contact_reason = days_ahead.contact_reason
order by days_ahead.cutoff_date, forecast_date, days_ahead.channel, days_ahead.contact_reason;
