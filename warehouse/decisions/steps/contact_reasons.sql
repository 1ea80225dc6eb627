-- One row per state of an order (delivered or not, overdue or not): what customers whose order was in that state asked
-- about, and what a message would have spared agents per contact. It spares what is asked before the delivery; while
-- there is still time, only what is asked before the parcel is late: until then the message can wait, and most parcels
-- arrive meanwhile.
create or replace temp table contact_reasons as
with usual as (
    select avg(handle_minutes order by ticket_id) as handle_minutes
    from raw.service_tickets
    where staging.business_date(created_at) < getvariable('as_of_date')
),
deliveries as (
    select order_id, max(delivered_at) as delivered_at, max(promised_delivery_date) as promised_date
    from raw.order_lines
    group by order_id
),
contacts as (
    select
        ticket_id,
        ctx_is_delivered as is_delivered,
        ctx_is_overdue as is_overdue,
        contact_reason,
        coalesce(tickets.handle_minutes, usual.handle_minutes, 0) / 60 * agent_hour_cost as contact_cost,
        not ctx_is_delivered
            and coalesce(created_at < delivered_at, true)
            and (ctx_is_overdue or coalesce(staging.business_date(created_at) <= promised_date, true)) as is_spared
    from samples.service_orders as orders
    join raw.service_tickets as tickets
        on tickets.order_id = orders.order_id
        and staging.business_date(created_at) >= origin_date
        and staging.business_date(created_at) < origin_date + 28
    join service_terms using (channel, contact_reason)
    left join deliveries on deliveries.order_id = orders.order_id, usual
    where label_contacted = 1
)
select
    is_delivered,
    is_overdue,
    mode(contact_reason order by contact_reason) as likely_reason,
    avg(if(is_spared, contact_cost, 0) order by ticket_id) as spared_cost,
    count(*) as contacts
from contacts
group by is_delivered, is_overdue
