"""The bookkeeping of one feed's loading: numbers, what makes way for what, and the rows of `ops.loads`.

Within a transaction three temporary tables carry it: `new_loads` (input_name, content_hash, load_id), `superseded`
(row_id, by_load, from_load) and `rows_read` (load_id, row_count).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

import duckdb

from warehouse.contracts import Table
from warehouse.contracts.table import quote
from warehouse.sources.base import FeedError, Input


@contextmanager
def plain_strings(con: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """Within the block strings are written as they are.

    Looking for a compression takes more than half of the time of loading ids, which compress badly. It buys a raw
    layer of a quarter of the size, which nobody but the next step of the night reads.
    """
    con.execute("set disabled_compression_methods = 'dictionary,fsst,dict_fsst'")
    try:
        yield
    finally:
        con.execute("reset disabled_compression_methods")


def number_loads(con: duckdb.DuckDBPyConnection, fresh: Sequence[Input]) -> None:
    """Number the new loads in input order."""
    con.execute(
        """
        create or replace temp table new_loads as
        select
            unnest($names) as input_name,
            unnest($hashes) as content_hash,
            (select coalesce(max(load_id), 0) from ops.loads) + unnest(range(1, len($names) + 1)) as load_id
        """,
        {"names": [item.name for item in fresh], "hashes": [item.content_hash for item in fresh]},
    )
    # What makes way for which load: older versions of an input, and older rows of a key.
    con.execute("create or replace temp table superseded (row_id BIGINT, by_load BIGINT, from_load BIGINT)")


def retire_older_versions(con: duckdb.DuckDBPyConnection, table: Table) -> None:
    """Take the rows out that an earlier version of a new input left."""
    con.execute(
        f"""
        insert into superseded
        select old_row.rowid, new_loads.load_id, old_row._load_id
        from {table.qualified_name} as old_row
        join ops.loads as older on older.load_id = old_row._load_id
        join new_loads using (input_name)
        where older.feed = $1 and older.status = 'loaded'
        """,
        [table.name],
    )
    con.execute(f"delete from {table.qualified_name} where rowid in (select row_id from superseded)")
    con.execute(
        """
        update ops.loads set status = 'replaced'
        where feed = $1 and status = 'loaded' and input_name in (select input_name from new_loads)
        """,
        [table.name],
    )


def count_rows(con: duckdb.DuckDBPyConnection, table: Table) -> None:
    """The temporary table rows_read: rows of each new load, those set aside included."""
    con.execute(
        f"""
        create or replace temp table rows_read as
        select load_id, count(*) as row_count
        from (
            select _load_id as load_id
            from {table.qualified_name}
            semi join new_loads on new_loads.load_id = _load_id
            union all
            select load_id
            from ops.quarantined_rows
            semi join new_loads using (load_id)
        )
        group by load_id
        """
    )


def require_counts(con: duckdb.DuckDBPyConnection, table: Table, expected: Mapping[str, int]) -> None:
    """FeedError when an input has another number of rows than was counted apart from its reading."""
    found = con.execute(
        """
        select input_name, rows_expected, coalesce(row_count, 0)
        from (select unnest($names::varchar[]) as input_name, unnest($counts::bigint[]) as rows_expected)
        join new_loads using (input_name)
        left join rows_read using (load_id)
        where rows_expected <> coalesce(row_count, 0)
        order by load_id
        limit 1
        """,
        {"names": list(expected), "counts": list(expected.values())},
    ).fetchall()
    for name, rows_expected, row_count in found:
        raise FeedError(
            f"It has {rows_expected:,} rows, of which {row_count:,} were read.",
            feed=table.name,
            file=name,
            remedy="deliver the file again, complete; nothing of the feed was loaded.",
        )


def retire_older_keys(con: duckdb.DuckDBPyConnection, table: Table) -> None:
    """Of each key that the new loads have, keep the rows of the latest load only."""
    if not _has_several_loads(con, table):
        return
    key = ", ".join(quote(name) for name in table.key)
    con.execute(
        f"""
        insert into superseded
        with first_load as (
            select min(load_id) as first_load_id from new_loads
        ),

        newest as (
            select {key}, max(_load_id) as newest_load
            from {table.qualified_name}, first_load
            where _load_id >= first_load_id
            group by {key}
            -- In an empty table only a key that two new loads have can be contested.
            having min(_load_id) < max(_load_id)
                or (select min(_load_id) from {table.qualified_name}) < any_value(first_load_id)
        )

        select old_row.rowid, newest_load, old_row._load_id
        from {table.qualified_name} as old_row
        join newest using ({key})
        where old_row._load_id < newest_load
        """
    )
    con.execute(f"delete from {table.qualified_name} where rowid in (select row_id from superseded)")


def _has_several_loads(con: duckdb.DuckDBPyConnection, table: Table) -> bool:
    """Whether a key can be contested at all: a first load of a large table need not be grouped by its key."""
    found = con.execute(f"select min(_load_id) < max(_load_id) from {table.qualified_name}").fetchall()
    return bool(found[0][0])


def retire_deleted_keys(con: duckdb.DuckDBPyConnection, table: Table, deleted_keys: str) -> None:
    """Take out what earlier loads know of the keys in that table: the newest load says that they are gone."""
    key = ", ".join(quote(name) for name in table.key)
    con.execute(
        f"""
        insert into superseded
        select old_row.rowid, (select max(load_id) from new_loads), old_row._load_id
        from {table.qualified_name} as old_row
        semi join {quote(deleted_keys)} using ({key})
        """
    )
    con.execute(f"delete from {table.qualified_name} where rowid in (select row_id from superseded)")


def write_diary(
    con: duckdb.DuckDBPyConnection, table: Table, unknown: Mapping[str, tuple[str, ...]], run_id: str
) -> tuple[int, int]:
    """One row of ops.loads per new load; returns rows read and older rows replaced."""
    con.execute(
        """
        insert into ops.loads
            (load_id, feed, input_name, content_hash, status, rows_read, rows_replaced, rows_superseded, rows_erased,
             rows_unrecorded, unknown_columns, run_id, loaded_at)
        with replaced as (
            select by_load as load_id, count(*) as replaced_count
            from superseded
            group by by_load
        ),

        made_way as (
            select from_load as load_id, count(*) as superseded_count
            from superseded
            group by from_load
        ),

        unknown as (
            select unnest($labels) as input_name, unnest($unknown) as unknown_columns
        )
        select
            load_id, $feed, input_name, content_hash, 'loaded',
            coalesce(row_count, 0), coalesce(replaced_count, 0), coalesce(superseded_count, 0), 0, 0,
            nullif(unknown_columns, ''), $run_id, now()::timestamp
        from new_loads
        left join rows_read using (load_id)
        left join replaced using (load_id)
        left join made_way using (load_id)
        left join unknown using (input_name)
        """,
        {
            "feed": table.name,
            "labels": list(unknown),
            "unknown": [",".join(names) for names in unknown.values()],
            "run_id": run_id,
        },
    )
    con.execute(
        """
        update ops.loads set rows_superseded = rows_superseded + superseded_count
        from (select from_load, count(*) as superseded_count from superseded group by from_load) as made_way
        where load_id = from_load and load_id not in (select load_id from new_loads)
        """
    )
    rows_read, rows_replaced = con.execute(
        "select (select coalesce(sum(row_count), 0) from rows_read), (select count(*) from superseded)"
    ).fetchall()[0]
    return int(rows_read), int(rows_replaced)
