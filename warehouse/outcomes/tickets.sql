-- One row per night and ticket that was open then and is solved by now: what it took, and whether the promise was kept
-- (empty where the samples of tonight no longer look at it).
with promises as (
    select ticket_id, max(label_missed) as is_missed from samples.service_tickets group by ticket_id
)
select
    run_id,
    handle_minutes,
    is_missed,
    expected_handle_minutes,
    sla_breach_probability,
    base_handle_minutes,
    base_missed
from kept.ticket_predictions
join due_nights using (run_id)
join raw.service_tickets using (ticket_id)
left join promises using (ticket_id)
where staging.business_date(solved_at) < observed_until and handle_minutes is not null
order by run_id, ticket_predictions.ticket_id
