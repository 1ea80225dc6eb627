-- One row: how many rules and promises were checked, how many held, how many rows were set aside.
with verdicts as (
    select is_passed as held from ops.quality_checks where run_id = $1
    union all
    select is_kept as held from ops.consistency_checks where run_id = $1
)

select
    count(*) as checked,
    count(*) filter (held) as passed,
    (select count(*) from ops.quarantined_rows where run_id = $1) as quarantined_rows
from verdicts
