-- Of a fixed choice of tickets, where there are many.
select ticket_predictions.*, base_handle_minutes, base_missed
from predictions.ticket_predictions
left join samples.service_tickets on service_tickets.ticket_id = ticket_predictions.ticket_id and fold = 'serve'
qualify row_number() over (order by md5(ticket_predictions.ticket_id)) <= getvariable('sample_rows')
