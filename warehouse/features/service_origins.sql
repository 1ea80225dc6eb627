-- One row per day from which service looks back and ahead, and the cut-off whose entities it sees: the last one before
-- it that describes all users. Orders are open for days, not months, so training looks every week instead of every
-- horizon; no label of training reaches into validation. Empty without tickets.
create or replace table features.service_origins as
with bounds as (
    select
        cast(getvariable('as_of_date') as date) as as_of,
        cast(getvariable('horizon_days') as integer) as horizon,
        cast(getvariable('train_cutoffs') as integer) as train_cutoffs,
        -- Rates of the first weeks would be those of nobody.
        min(staging.business_date(created_at)) + 28 as earliest
    from raw.service_tickets
),
described as (
    select cutoff_date, fold from features.cutoffs where fold in ('serve', 'test', 'validation', 'train')
),
origins as (
    select cutoff_date as origin_date, fold from described where fold in ('serve', 'test', 'validation')
    union all
    select as_of - 3 * horizon - 7 * cast(week as integer), 'train'
    from bounds, range(0, train_cutoffs * horizon // 7) as weeks (week)
)
select
    origin_date,
    coalesce(described.cutoff_date, origin_date) as cutoff_date,
    origins.fold
from origins
join bounds on origin_date >= earliest
asof left join described on described.cutoff_date <= origin_date
order by origin_date;
