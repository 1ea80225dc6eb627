-- One row per state of an order (delivered or not, overdue or not): what customers whose order was in that state asked
-- about, and how many of them asked before the delivery, which is what a message can save.
create or replace temp table contact_reasons as
with contacts as (
    select
        ctx_is_delivered as is_delivered,
        ctx_is_overdue as is_overdue,
        contact_reason,
        not ctx_is_delivered and coalesce(created_at < delivered_at, true) as is_before_delivery
    from samples.service_orders as orders
    join raw.service_tickets as tickets
        on tickets.order_id = orders.order_id
        and staging.business_date(created_at) >= origin_date
        and staging.business_date(created_at) < origin_date + 28
    left join (
        select order_id, max(delivered_at) as delivered_at from raw.order_lines group by order_id
    ) as deliveries on deliveries.order_id = orders.order_id
    where label_contacted = 1
)
select
    is_delivered,
    is_overdue,
    mode(contact_reason order by contact_reason) as likely_reason,
    avg(cast(is_before_delivery as integer)) as before_delivery_ratio,
    count(*) as contacts
from contacts
group by is_delivered, is_overdue
