-- One row per recent order that may still lead to a contact. A message pays where what it is expected to spare agents is
-- more than what it costs.
with states as (
    select
        order_id,
        user_id,
        ctx_is_delivered as is_delivered,
        ctx_is_overdue as is_overdue,
        ctx_days_late as days_late
    from samples.service_orders
    where fold = 'serve'
),
-- Messages that a person does not want sent.
rejected as (
    select order_id, decision_id from standing_decisions where head = 'service' and action = 'rejected'
),
worth as (
    select
        risks.*,
        states.*,
        likely_reason,
        is_holdout,
        variant,
        decision_id,
        contact_probability * coalesce(spared_cost, 0) * getvariable('message_effect_ratio')
            - getvariable('message_cost') as message_worth,
        if(is_holdout or decision_id is not null, 0, message_worth) as message_saving
    from predicted.service_orders as risks
    join states using (order_id)
    left join contact_reasons using (is_delivered, is_overdue)
    join user_groups using (user_id)
    left join rejected using (order_id)
)
select
    order_id,
    contact_probability,
    return_probability,
    likely_reason,
    case
        when message_saving > 0 and is_overdue then 'Write to the customer: the parcel is late, and when it will come'
        when message_saving > 0 then 'Write to the customer: where the parcel is, and when it will come'
        else 'Nothing'
    end as suggested_action,
    message_saving > 0 as is_message_worthwhile,
    if(message_saving > 0, message_saving, 0) as expected_saving,
    is_holdout,
    variant,
    decision_id,
    model_version,
    is_fallback,
    'similar' as evidence_level,
    format(
        '{}, {:.0f}% likely to lead to a contact',
        case
            when is_delivered then 'Delivered'
            when is_overdue then format('{} days late', days_late)
            else 'On its way'
        end,
        100 * contact_probability
    )
    || coalesce(', most often about ' || likely_reason, '')
    || case
        when message_worth <= 0 then ''
        when decision_id is not null then '; not written to by decision ' || decision_id
        when is_holdout then '; held out, so not written to'
        else ''
    end
    || '.' as primary_reason
from worth
