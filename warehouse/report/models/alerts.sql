-- One row per finding about outcomes or drift that a person should look at, gravest first.
select alert_number, kind, head, subject, message, remedy, is_new
from tonight.ops.alerts
where run_id = getvariable('run_id')
order by alert_number
