-- The one release that readers see.
select release_number, run_id, as_of_date, kind, released_at, file_name
from ops.releases
where is_current
