-- A night is taken back when readers were pointed from it to one of the same or an earlier day, and not to it again since.
update ops.outcomes
set is_rolled_back = run_id in (
    select left_run_id
    from (
        select
            release_number,
            kind,
            as_of_date,
            lag(run_id) over changes as left_run_id,
            lag(as_of_date) over changes as left_as_of_date
        from ops.releases
        window changes as (order by release_number)
    ) as changes
    where kind = 'rollback' and as_of_date <= left_as_of_date
        and not exists (
            from ops.releases as later
            where later.run_id = left_run_id and later.release_number > changes.release_number
        )
);
