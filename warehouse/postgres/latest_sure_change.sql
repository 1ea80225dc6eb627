-- The moment before which no change can still be hidden in an open transaction: now, or the start of the oldest one that
-- writes. A role that may not look at other roles' transactions sees now, and the overlap has to suffice.
select least(
    clock_timestamp(),
    (select min(xact_start) from pg_stat_activity where backend_xid is not null and datname = current_database())
)::text
