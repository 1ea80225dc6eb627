-- One row per open ticket, the ten that are most likely to miss the promise.
select ticket_id, predicted_priority, expected_handle_minutes, sla_breach_probability, primary_reason
from tonight.predictions.ticket_predictions
order by sla_breach_probability desc nulls last, ticket_id
limit 10
