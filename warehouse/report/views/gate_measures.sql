-- One row per released night up to this one and measure that a head's release hangs on: the latest night of each day.
-- A gain is a share of the naive baseline's value, above 0 where better.
create or replace temp view gate_measures as
with nights as (
    select as_of_date, max(run_id) as run_id
    from tonight.ops.runs
    where as_of_date <= getvariable('as_of_date') and status = 'released'
    group by as_of_date
),
measured as (
    select as_of_date, measures.*, if(is_higher_better, 1, -1) as sign
    from tonight.ops.model_metrics as measures
    join nights using (run_id)
    where is_gate
)
select
    *,
    sign * (value / nullif(baseline_value, 0) - 1) as gain,
    sign * (single_task_value / nullif(baseline_value, 0) - 1) as single_gain,
    sign * (champion_value / nullif(baseline_value, 0) - 1) as champion_gain
from measured
