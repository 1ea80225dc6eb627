-- One row per day from which a night looks back (features) and ahead (labels), and what it is used for.
-- serve, test, validation, train: every horizon. train_demand: the days between, for the demand curve alone.
-- promotion: first days of campaigns. A cut-off needs enough history (staging.first_cutoff), and its labels must not reach into
-- the windows that are measured; what does not fit is absent.
create or replace table features.cutoffs as
with bounds as (
    select
        cast(getvariable('as_of_date') as date) as as_of,
        cast(getvariable('horizon_days') as integer) as horizon,
        min(business_date) as first_date,
        staging.first_cutoff(min(business_date)) as earliest
    from known_lines
),
-- Horizons before as-of: 0 serves, 1 tests, 2 validates, the rest trains.
monthly as (
    select
        as_of - cast(step as integer) * horizon as cutoff_date,
        case step when 0 then 'serve' when 1 then 'test' when 2 then 'validation' else 'train' end as fold
    from bounds, range(0, 3 + getvariable('train_cutoffs')) as steps (step)
    where step = 0 or as_of - cast(step as integer) * horizon >= earliest
),
fortnightly as (
    select as_of - 3 * horizon - 14 * cast(step as integer) as cutoff_date, 'train_demand' as fold
    from bounds, range(0, getvariable('demand_train_cutoffs')) as steps (step)
    where as_of - 3 * horizon - 14 * cast(step as integer) >= earliest
        and as_of - 3 * horizon - 14 * cast(step as integer) not in (select cutoff_date from monthly)
),
campaign_starts as (
    select distinct staging.business_date(starts_at) as cutoff_date, 'promotion' as fold
    from raw.campaigns, bounds
    where staging.business_date(starts_at) > first_date and staging.business_date(starts_at) <= as_of
)
select cutoff_date, fold from monthly
union all
select cutoff_date, fold from fortnightly
union all
select cutoff_date, fold from campaign_starts
order by cutoff_date, fold;

-- The recommendation learns from the newest training cut-offs only: tastes move, and pairs are many.
create or replace view features.recommendation_cutoffs as
select cutoff_date, fold
from features.cutoffs
where fold in ('serve', 'test', 'validation')
    or fold = 'train' and cutoff_date >= cast(getvariable('as_of_date') as date)
        - cast(getvariable('horizon_days') as integer) * (2 + cast(getvariable('recommendation_train_cutoffs') as integer));
