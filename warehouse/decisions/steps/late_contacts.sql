-- One row: the contacts that orders already late are expected to cause, and by how much the forecast of the coming days
-- has to rise to hold them. The forecast knows the shop's past days, an order's risk how it stands tonight.
create or replace temp table late_contacts as
with caused as (
    select count(*) as late_orders, coalesce(sum(contact_probability order by order_id), 0) as contacts
    from predicted.service_orders
    semi join late_orders using (order_id)
),
forecast as (
    select sum(contacts_mean order by forecast_date, channel, contact_reason) as contacts from predicted.service_days
)
select
    late_orders,
    greatest(caused.contacts / nullif(forecast.contacts, 0), 1) as late_ratio
from caused, forecast
