-- One row per feed that was ever loaded: what came tonight, and how old its newest row is.
with freshness as (
    select
        table_name as feed,
        is_passed as is_fresh,
        cast(regexp_extract(detail, '(\d+) days before', 1) as integer) as age_days
    from tonight.ops.quality_checks
    where run_id = getvariable('run_id') and rule = 'is_fresh' and regexp_matches(detail, '\d+ days before')
),
loads as (
    select
        feed,
        sum(rows_read) filter (status = 'loaded') as rows_in_all,
        coalesce(sum(rows_read) filter (validated_by = getvariable('run_id')), 0) as rows_tonight
    from tonight.ops.loads
    group by feed
)
select loads.feed, rows_tonight, rows_in_all, age_days, is_fresh
from loads
left join freshness using (feed)
order by loads.feed
