-- Of a fixed choice of orders, where there are many.
select order_contact_risks.*, base_contacted
from predictions.order_contact_risks
left join samples.service_orders on service_orders.order_id = order_contact_risks.order_id and fold = 'serve'
qualify row_number() over (order by md5(order_contact_risks.order_id)) <= getvariable('sample_rows')
