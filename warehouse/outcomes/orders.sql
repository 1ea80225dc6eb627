-- One row per night and order that might have led to a contact: whether it did, and whether something came back.
with contacts as (
    select distinct run_id, order_id
    from due_nights
    join raw.service_tickets
        on staging.business_date(created_at) >= as_of_date and staging.business_date(created_at) < observed_until
),
returns as (
    select distinct run_id, order_id
    from due_nights
    join raw.order_lines
        on staging.business_date(returned_at) >= as_of_date and staging.business_date(returned_at) < observed_until
)
select
    run_id,
    contacts.order_id is not null as has_contacted,
    returns.order_id is not null as has_returned,
    contact_probability,
    return_probability,
    base_contacted
from kept.order_contact_risks
join due_nights using (run_id)
left join contacts using (run_id, order_id)
left join returns using (run_id, order_id)
order by run_id, order_contact_risks.order_id
