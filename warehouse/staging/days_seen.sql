-- The days on which users showed up: with an order, and with any event where behaviour is recorded well enough. A feed
-- that began after the first cut-off that needs it, or that fell silent, would tell of its own habits, not the users'.
create or replace temp table presence_window as
with behaviour as (
    select min(business_date) as first_date, max(business_date) as last_date from visit_days
),
orders as (
    select min(business_date) as first_date from order_days
),
first_cutoffs as (
    select min(cutoff_date) as first_cutoff from features.cutoffs where fold <> 'promotion'
)
select
    has_behaviour,
    if(has_behaviour, greatest(behaviour.first_date, orders.first_date), orders.first_date) as first_date
from behaviour, orders, (
    select coalesce(
        behaviour.first_date <= first_cutoff - cast(getvariable('horizon_days') as integer)
            and behaviour.last_date >= cast(getvariable('as_of_date') as date) - 3,
        false
    ) as has_behaviour
    from behaviour, first_cutoffs
);

-- What users do changes slowly: it is learned once, eight weeks in or at the first cut-off of any fold after that, and
-- again where the folds other than campaigns begin half a year later still. Nothing later than a cut-off is known there.
create or replace temp table habit_dates as
with viewed as (
    select cutoff_date, fold, cutoff_date >= first_date + 56 as is_late_enough
    from features.cutoffs, presence_window
    where first_date is not null
),
firsts as (
    select
        coalesce(min(cutoff_date) filter (where is_late_enough), max(cutoff_date)) as learned_date,
        min(cutoff_date) filter (where is_late_enough and fold <> 'promotion') as fold_date
    from viewed
)
select learned_date from firsts
union
select fold_date from firsts where fold_date >= learned_date + 182;

create or replace temp table days_seen as
with days as (
    select user_index, business_date, true as has_order from order_days join staging.users using (user_id)
    union all
    select user_index, business_date, false from visit_days where (select has_behaviour from presence_window)
)
select user_index, cast(business_date - first_date as integer) as day, bool_or(has_order) as has_order
from days, presence_window
group by all;

-- The days on which each user first showed up and ordered; negative before the window.
create or replace temp table first_seen as
select user_index, min(day) as first_day, min(day) filter (where has_order) as first_order_day
from days_seen
group by user_index
having bool_or(has_order);
