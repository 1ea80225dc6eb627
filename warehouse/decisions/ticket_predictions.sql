-- One row per open ticket.
with judged as (
    select
        tickets.*,
        ['low', 'normal', 'high', 'urgent'][list_position(
            [priority_low, priority_normal, priority_high, priority_urgent],
            greatest(priority_low, priority_normal, priority_high, priority_urgent)
        )] as predicted_priority,
        is_missed_by_now,
        raw.service_tickets.contact_reason,
        raw.service_tickets.user_id
    from predicted.service_tickets as tickets
    join raw.service_tickets using (ticket_id)
)
select
    ticket_id,
    predicted_priority,
    expected_handle_minutes,
    if(is_missed_by_now, 1, missed_probability) as sla_breach_probability,
    coalesce(is_holdout, false) as is_holdout,
    variant,
    model_version,
    is_fallback,
    'similar' as evidence_level,
    format(
        'About {}: {:.0f} minutes are usual for one like it; {}',
        contact_reason,
        expected_handle_minutes,
        if(is_missed_by_now, 'the promise is missed already', format(
            'the promise is missed with {:.0f}% probability', 100 * missed_probability
        ))
    )
    || '.' as primary_reason
from judged
left join user_groups using (user_id)
