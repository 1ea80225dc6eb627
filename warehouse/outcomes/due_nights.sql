-- One row per released night before tonight that is to be scored: what it foretold for $1 days ahead is not over, or was
-- not scored since it is, or was a week ago, or for the last time $5 days after its end, for data arrive late. `kept_rows` are
-- the rows that were kept of it; $2, $3 and $4 are head, task and metric that tell whether it was scored. What a later
-- night has scored from more data is left as it is.
create or replace temp table due_nights as
with kept_nights as (
    select run_id, any_value(as_of_date) as as_of_date, bool_or(is_fallback) as is_fallback
    from kept_rows
    group by run_id
),
scored as (
    select
        run_id,
        known_until > getvariable('as_of_date') as is_known_better,
        is_mature
            and known_until < getvariable('as_of_date')
            and (
                known_until >= window_end + $5
                or least(known_until + 7, window_end + $5) > getvariable('as_of_date')
            ) as is_settled
    from ops.outcomes
    where head = $2 and task = $3 and metric = $4
)
select
    run_id,
    as_of_date,
    is_fallback,
    as_of_date + cast($1 as integer) as window_end,
    least(window_end, cast(getvariable('as_of_date') as date)) as observed_until
from kept_nights
semi join (from ops.releases where kind = 'release') as releases using (run_id)
left join scored using (run_id)
where as_of_date < getvariable('as_of_date')
    and not coalesce(is_known_better or is_settled, false)
order by as_of_date, run_id
