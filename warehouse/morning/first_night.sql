-- One row per step of the home's first released night, which is the one that loads everything: how long it took, and how
-- large the shop was. None before there is one, or where it was before rows were balanced.
with
    first_night as (
        select run_id, as_of_date
        from ops.runs
        where status = 'released'
        order by started_at
        limit 1
    ),

    feed_rows as (
        select run_id, map_from_entries(list((feed, rows_in_feed))) as rows_of
        from ops.row_balances
        group by run_id
    ),

    history as (
        select run_id, greatest(date_diff('day', min(ordered_at)::date, any_value(as_of_date)), 1) as days
        from raw.orders, first_night
        group by run_id
    )

select
    run_id,
    as_of_date,
    coalesce(rows_of['users'], 0) as users,
    coalesce(rows_of['products'], 0) as products,
    coalesce(rows_of['behaviour_events'], 0) as events,
    coalesce(rows_of['order_lines'], 0) as order_lines,
    days,
    greatest(coalesce(rows_of['sites'], 0), 1) as sites,
    step,
    seconds
from first_night
join feed_rows using (run_id)
join history using (run_id)
join ops.run_steps using (run_id)
order by started_at
