-- What is said about a schema; no row where there is none.
select obj_description(oid, 'pg_namespace')
from pg_namespace
where nspname = $1
