-- One row per feed that was ever loaded.
select feed, count(*) as inputs, sum(rows_read)::bigint as rows, max(loaded_at) as last_loaded_at
from ops.loads
where status = 'loaded'
group by feed
order by feed
