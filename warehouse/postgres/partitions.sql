-- One row per partition: the table that it is or was part of, its run, and whether it is attached, on its way out (a detach
-- that was cut off) or detached. $1 is the schema of the tables, $2 that of the partitions.
select
    parent.relname::text as table_name,
    substr(part.relname, length(parent.relname) + 2) as run_id,
    case when inhdetachpending then 'leaving' when part.relispartition then 'attached' else 'detached' end as status
from pg_class as part
join pg_class as parent on starts_with(part.relname, parent.relname || '_')
left join pg_inherits on inhrelid = part.oid and inhparent = parent.oid
where parent.relnamespace = (select oid from pg_namespace where nspname = $1)
    and part.relnamespace = (select oid from pg_namespace where nspname = $2)
    and parent.relkind = 'p' and part.relkind = 'r'
order by table_name, run_id
