-- One row per matured night, measure and source of it: how much better than naive the night was in truth, and on the four
-- weeks before it, which its release hung on.
with measured as (
    select
        as_of_date,
        replace(head || ': ' || task || ' ' || metric, '_', ' ') as measure,
        if(is_higher_better, 1, -1) as sign,
        value,
        baseline_value,
        promised_value
    from tonight.ops.outcomes
    where is_mature and promise = 'gate' and is_higher_better is not null and baseline_value <> 0
        and as_of_date < getvariable('as_of_date')
)
select as_of_date, measure, 'came true' as source, 100 * sign * (value / baseline_value - 1) as percent_better
from measured
where value is not null
union all
select as_of_date, measure, 'promised', 100 * sign * (promised_value / baseline_value - 1)
from measured
where promised_value is not null
order by measure, as_of_date, source
