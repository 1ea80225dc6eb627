-- One row per recent order that may still lead to a contact.
with usual as (
    select arg_max(contact_reason, tickets) as contact_reason
    from (
        select contact_reason, count(*) as tickets
        from raw.service_tickets
        where order_id is not null and staging.business_date(created_at) < getvariable('as_of_date')
        group by contact_reason
        order by contact_reason
    )
)
select
    order_id,
    contact_probability,
    return_probability,
    usual.contact_reason as likely_reason,
    case
        when contact_probability >= 0.5 then 'Check the delivery and write to the customer first'
        else 'Nothing'
    end as suggested_action,
    model_version,
    is_fallback,
    'similar' as evidence_level,
    format('{:.0f}% of orders like it lead to a contact', 100 * contact_probability)
    || coalesce(', most often about ' || usual.contact_reason, '')
    || '.' as primary_reason
from predicted.service_orders
join raw.orders using (order_id)
join staging.users using (user_id), usual
