-- One row per load: where its rows are. `rows_unaccounted` is 0 unless some were lost or doubled. The temporary tables
-- rows_in_feeds and rows_set_aside (load_id, row_count) are counted just before.
create or replace temp table load_balance as
with counted as (
    select
        loads.feed,
        load_id,
        loads.input_name,
        loads.run_id,
        coalesce(loads.rows_read, 0) as rows_read,
        coalesce(rows_in_feeds.row_count, 0) as rows_in_feed,
        coalesce(rows_set_aside.row_count, 0) + coalesce(loads.rows_unrecorded, 0) as rows_quarantined,
        coalesce(loads.rows_superseded, 0) as rows_replaced,
        coalesce(loads.rows_erased, 0) as rows_erased,
        loads.load_id is not null and loads.rows_superseded is null as is_opening
    from ops.loads as loads
    full join rows_in_feeds using (load_id)
    full join rows_set_aside using (load_id)
)

select *, rows_read - rows_in_feed - rows_quarantined - rows_replaced - rows_erased as rows_unaccounted
from counted;
