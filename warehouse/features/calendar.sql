-- One row per 7-day window that a sample may look at, by its first day. Only what a calendar says: no sales.
create or replace table features.calendar as
with windows as (
    select distinct first_date + 7 * cast(week as integer) as calendar_date
    from (
        select cutoff_date as first_date from features.cutoffs
        union
        select origin_date from features.service_origins
    ), range(0, getvariable('horizon_days') // 7) as weeks (week)
),
-- A feast counts for the window that contains it; distances are from the window's middle day. Beyond four weeks they are
-- all the same: or else the way to it through the year would be taken for its approach, and go on being so at the feast.
days as (select calendar_date, calendar_date + 3 as middle from windows)
select
    calendar_date,
    strftime(middle, '%B') as month_name,
    sin(2 * pi() * dayofyear(middle) / 365.25) as year_sine,
    cos(2 * pi() * dayofyear(middle) / 365.25) as year_cosine,
    sin(4 * pi() * dayofyear(middle) / 365.25) as half_year_sine,
    cos(4 * pi() * dayofyear(middle) / 365.25) as half_year_cosine,
    day(middle) as day_of_month,
    least(28, abs(middle - make_date(year(middle), 12, 25)), abs(middle - make_date(year(middle) - 1, 12, 25)))
        as days_from_25_december,
    least(28, abs(middle - make_date(year(middle), 1, 1)), abs(middle - make_date(year(middle) + 1, 1, 1)))
        as days_from_1_january,
    day(calendar_date) > day(calendar_date + 6) or day(calendar_date) = 1 as has_first_of_month
from days
order by calendar_date;
