-- One row per coming day, channel and contact reason.
select
    forecast_date,
    channel,
    contact_reason,
    contacts_mean,
    contacts_p10,
    contacts_p50,
    contacts_p90,
    contacts_mean * handle_minutes / 60 as workload_hours,
    coalesce(decided_agents, required_agents) as required_agents,
    decision_id,
    model_version,
    is_fallback,
    if(own_handle_minutes is null, 'prior', 'own_history') as evidence_level,
    format('About {:.1f} contacts', contacts_mean)
    || coalesce(format(' of {:.0f} minutes each', handle_minutes), '; what they take is not known')
    || coalesce(
        format(
            '; {} agents answer {:.0f}% of them within {:.0f} minutes',
            required_agents, 100 * service_level, answer_within_minutes
        ),
        ''
    )
    || if(late_ratio > 1, format('; raised for the {} orders that are late', late_orders), '')
    || coalesce(format('; {} instead by decision {}', decided_agents, decision_id), '')
    || '.' as primary_reason
from service_queues
left join service_staff using (queue_row)
