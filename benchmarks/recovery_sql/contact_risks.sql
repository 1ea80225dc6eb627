-- One row per order that the night found open: what it said, what is true, and whether somebody asked about it.
with asked as (
    select distinct order_id
    from landed_tickets
    where try_cast(created_at as timestamp) >= getvariable('as_of_date')
)
select
    order_id,
    order_contact_risks.contact_probability as probability,
    true_contacts.contact_probability as true_probability,
    asked.order_id is not null as happened
from night.predictions.order_contact_risks
join true_contacts using (order_id)
left join asked using (order_id)
