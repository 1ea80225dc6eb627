-- The newest part of a table that was loaded: its name and the state that the table was in.
select input_name, content_hash
from ops.loads
where feed = $1 and starts_with(input_name, $2)
order by load_id desc
limit 1
