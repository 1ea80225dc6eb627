-- The contacts that orders already late are expected to cause are part of the coming days' forecast.
with caused as (
    select count(*) as orders, sum(contact_probability) as contacts
    from predictions.order_contact_risks
    semi join late_orders using (order_id)
),
forecast as (
    select sum(contacts_mean) as contacts from predictions.service_forecasts
)
select format(
    '{} late orders are expected to cause {:.1f} contacts, the forecast has {:.1f}',
    orders, caused.contacts, forecast.contacts
)
from caused, forecast
where caused.contacts > forecast.contacts * (1 + 1e-9)
