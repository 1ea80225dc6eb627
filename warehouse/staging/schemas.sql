-- The schemas of a night's working tables, and the rules that turn moments into days and days into weeks.
-- Nothing of an earlier night's staging is left to be mistaken for this one's.
drop schema if exists staging cascade;
create schema staging;
create schema if not exists features;
create schema if not exists samples;

-- The day of a UTC moment in the business time zone.
create or replace macro staging.business_date(moment) as
    cast(timezone(getvariable('time_zone'), timezone('UTC', moment)) as date);

-- A UTC moment on the clock of the business time zone.
create or replace macro staging.local_time(moment) as
    timezone(getvariable('time_zone'), timezone('UTC', moment));

-- The first day of the week that holds a day: blocks of seven days, the last of which ends the day before as-of.
create or replace macro staging.week_start(day) as
    cast(getvariable('as_of_date') as date)
        - 7 * cast(ceil((cast(getvariable('as_of_date') as date) - day) / 7) as integer);

-- The earliest day to look back from, by the day of the first order: a young shop gives a quarter of what it has lived.
create or replace macro staging.first_cutoff(first_date) as
    cast(first_date as date) + cast(least(
        getvariable('minimum_history_days'), (cast(getvariable('as_of_date') as date) - cast(first_date as date)) // 4
    ) as integer);
