-- Of each head: what people decided of late, and what stands tonight.
delete from ops.decision_counts where run_id = getvariable('run_id');

insert into ops.decision_counts by name
with recent as (
    select
        head,
        count(*) filter (action = 'accepted') as accepted,
        count(*) filter (action = 'rejected') as rejected,
        count(*) filter (action = 'overridden') as overridden
    from raw.decisions
    where staging.business_date(decided_at) < getvariable('as_of_date')
        and staging.business_date(decided_at) >= getvariable('as_of_date') - 28
    group by head
),
standing as (
    select head, count(*) as standing from standing_decisions group by head
),
effects as (
    select
        head,
        count(*) as rows_overridden,
        count(overruled) as rows_overruling,
        sum(expected_gain order by object_id) as expected_gain
    from ops.decision_effects
    where run_id = getvariable('run_id')
    group by head
)
select
    getvariable('run_id') as run_id,
    head,
    coalesce(accepted, 0) as accepted,
    coalesce(rejected, 0) as rejected,
    coalesce(overridden, 0) as overridden,
    coalesce(standing, 0) as standing,
    coalesce(rows_overridden, 0) as rows_overridden,
    coalesce(rows_overruling, 0) as rows_overruling,
    expected_gain
from recent
full join standing using (head)
full join effects using (head)
order by head
