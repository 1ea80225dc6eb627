-- Which tickets' risk of a missed promise is explained: the highest.
select 'ticket_predictions' as table_name, ticket_id as object_id, ticket_id
from predictions.ticket_predictions
order by sla_breach_probability desc nulls last, ticket_id
limit getvariable('explained_rows')
