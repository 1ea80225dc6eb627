-- One row per head, in the order of the report's sections.
select head, status, reason, model_version, training_rows, status in ('released', 'champion') as is_served
from tonight.ops.head_status
where run_id = getvariable('run_id')
order by coalesce(
    list_position(
        [
            'pricing', 'promotion', 'uplift', 'supply', 'recommendation', 'quality', 'profile', 'service',
            'order_risks', 'tickets'
        ],
        head
    ),
    99
), head
