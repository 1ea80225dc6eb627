-- One row per column of a table, view or foreign table: its name and type. A domain counts as what it is made from.
with recursive types as (
    select oid, oid as base_oid, typtype, typbasetype
    from pg_type
    where typtype <> 'd'

    union all

    select made.oid, types.base_oid, made.typtype, made.typbasetype
    from pg_type as made
    join types on types.oid = made.typbasetype
    where made.typtype = 'd'
)

select
    attname::text as column_name,
    case when base.typtype = 'e' then 'enum' else format_type(base.oid, null) end as type_name
from pg_attribute
join pg_class on pg_class.oid = attrelid
join pg_namespace on pg_namespace.oid = relnamespace
join types on types.oid = atttypid
join pg_type as base on base.oid = types.base_oid
where nspname = $1 and relname = $2 and relkind in ('r', 'p', 'v', 'm', 'f') and attnum > 0 and not attisdropped
order by attnum
