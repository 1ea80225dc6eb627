-- One row per feed and rules that its rows broke: how many were set aside tonight.
select table_name, replace(broken_rules, ',', ', ') as broken_rules, count(*) as quarantined_rows
from tonight.ops.quarantined_rows
where run_id = getvariable('run_id')
group by all
order by quarantined_rows desc, table_name, broken_rules
limit 15
