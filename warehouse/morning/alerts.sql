-- One row per alert of the night, gravest first.
select kind, subject, message, remedy, is_new
from ops.alerts
where run_id = $1
order by alert_number
