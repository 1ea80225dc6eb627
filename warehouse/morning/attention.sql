-- One row per thing about a released night that a person should look at, gravest first: heads that are held back, and
-- what came of earlier nights or drifted, unless the night before said so already.
with held_heads as (
    select
        1 as gravity,
        head as position,
        head as subject,
        if(status = 'champion', 'an older model serves it: ', 'it is not released: ') || reason as finding,
        'compare its rows in ops.model_metrics with the nights before; it is released again once it beats them.' as remedy
    from ops.head_status
    where run_id = $1 and status in ('champion', 'not_released')
),

new_alerts as (
    select 2 as gravity, lpad(alert_number::varchar, 6, '0') as position, subject, message as finding, remedy
    from ops.alerts
    where run_id = $1 and is_new
)

select subject, finding, remedy
from (from held_heads union all from new_alerts)
order by gravity, position
