-- One row per order whose customer is worth a message today, the ten that save most.
select order_id, contact_probability, return_probability, likely_reason, suggested_action, expected_saving, primary_reason
from tonight.predictions.order_contact_risks
where is_message_worthwhile
order by expected_saving desc, order_id
limit 10
