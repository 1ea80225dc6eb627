-- One row per night, newest start first.
select
    run_id,
    as_of_date,
    status,
    stopped_by,
    started_at,
    round(date_diff('millisecond', started_at, finished_at) / 1000, 1) as seconds
from ops.runs
order by started_at desc
limit $1
