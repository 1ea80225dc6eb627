-- One row: which night this is, and the shop's currency.
select
    runs.run_id,
    runs.as_of_date,
    runs.as_of_date - 1 as last_day,
    runs.source,
    runs.code_version,
    releases.released_at,
    json_extract_string(runs.settings_json, '$.currency') as currency,
    (select count(*) from tonight.ops.consistency_checks where run_id = runs.run_id) as promises,
    (select count(*) from tonight.ops.consistency_checks where run_id = runs.run_id and is_kept) as kept_promises
from tonight.ops.runs
join tonight.ops.releases using (run_id)
where runs.run_id = getvariable('run_id') and releases.is_current
