-- One row per released night before tonight that is to be scored: what it promised for $1 days ahead (empty: as long as
-- its rows say) is not over yet, or so lately that late data may still change it, or was never scored since. `kept_rows`
-- are the rows that were kept of it, $2, $3 and $4 head, task and metric that tell whether it was scored. What a later
-- night has scored from more data is left as it is.
create or replace temp table due_nights as
with kept_nights as (
    select run_id, any_value(as_of_date) as as_of_date, bool_or(is_fallback) as is_fallback
    from kept_rows
    group by run_id
),
scored as (
    select run_id, known_until, is_mature and known_until >= window_end + $5 as is_final
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
    and not coalesce(known_until > getvariable('as_of_date') or is_final, false)
order by as_of_date, run_id
