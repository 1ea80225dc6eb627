-- One row per broken rule of a feed and per broken promise between heads, worst first.
with broken_rules as (
    select
        case severity when 'critical' then 'FAIL' when 'warning' then 'WARN' else 'INFO' end as verdict,
        table_name as subject,
        rule,
        rows_broken,
        rows_broken / nullif(rows_checked, 0) as broken_ratio,
        coalesce(detail, meaning) as detail
    from ops.quality_checks
    where run_id = $1 and not is_passed
),

broken_promises as (
    select
        'WARN' as verdict,
        'between heads' as subject,
        promise as rule,
        violations as rows_broken,
        null as broken_ratio,
        coalesce(example, meaning) as detail
    from ops.consistency_checks
    where run_id = $1 and not is_kept
)

select *
from (from broken_rules union all by name from broken_promises)
order by array_position(['FAIL', 'WARN', 'INFO'], verdict), rows_broken desc, subject, rule
