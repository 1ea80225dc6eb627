-- One row: what came, was checked and was set aside tonight. What an earlier night loaded and did not get to check came
-- tonight.
with checks as (
    select
        count(*) as checks,
        count(*) filter (is_passed) as held,
        count(*) filter (not is_passed and severity = 'critical') as critical,
        count(*) filter (not is_passed and severity = 'warning') as warnings,
        count(distinct table_name) as tables
    from tonight.ops.quality_checks
    where run_id = getvariable('run_id')
),
loads as (
    select count(*) as inputs, coalesce(sum(rows_read), 0) as rows_read, count(distinct feed) as feeds
    from tonight.ops.loads
    where validated_by = getvariable('run_id')
),
quarantine as (
    select count(*) as quarantined_rows from tonight.ops.quarantined_rows where run_id = getvariable('run_id')
)
from checks, loads, quarantine
