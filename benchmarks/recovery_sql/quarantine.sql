-- One row per feed row that was planted to be set aside, or that was set aside. Rows about users who asked to be
-- forgotten count on neither side: they are gone, but for their orders, which are set aside without a name.
with planted_rows as (
    select table_name, row_key, broken_rule, count(*) as copies
    from planted
    where is_quarantined and planted_date < getvariable('as_of_date')
        and coalesce(sha256(user_id) not in (select user_hash from writer.ops.erased_users), true)
    group by all
),
set_aside as (
    select table_name, row_key, broken_rules as broken_rule, count(*) as copies
    from writer.ops.quarantined_rows
    where coalesce(json_extract_string(row_json, '$.user_id') <> 'erased', true)
    group by all
)
select
    table_name,
    row_key,
    planted_rows.row_key is not null as is_planted,
    set_aside.row_key is not null as is_set_aside
from planted_rows
full join set_aside using (table_name, row_key, broken_rule, copies)
