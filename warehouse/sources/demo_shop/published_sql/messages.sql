-- One row per order about which a message is worth more than it costs.
select order_id
from predictions.order_contact_risks_latest
where is_message_worthwhile
