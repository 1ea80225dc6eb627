-- One row per rule of a feed or table that did not hold, worst first.
select
    case severity when 'critical' then 'set aside' when 'warning' then 'warning' else 'for information' end as verdict,
    table_name,
    coalesce(meaning, rule) as meaning,
    rule,
    rows_broken,
    rows_checked,
    detail
from tonight.ops.quality_checks
where run_id = getvariable('run_id') and not is_passed
order by list_position(['critical', 'warning', 'info'], severity), rows_broken desc, table_name, rule
