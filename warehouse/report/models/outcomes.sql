-- One row per measure of what came of an earlier night, the latest whose window has passed: beside naive, and beside what
-- that night had promised. Gains are shares of the naive value, above 0 where better.
with measured as (
    select *, case when is_higher_better then 1 when not is_higher_better then -1 end as sign
    from tonight.ops.outcomes
    where is_mature and as_of_date < getvariable('as_of_date') and value is not null
),
latest as (
    select *
    from measured
    qualify row_number() over (partition by head, task, metric order by as_of_date desc, run_id desc) = 1
)
select
    as_of_date, head, task, metric, unit, value, baseline_value, promised_value, promise, sample_count, window_end, is_alert,
    sign * (value / nullif(baseline_value, 0) - 1) as gain
from latest
order by is_alert desc, head, task, metric
