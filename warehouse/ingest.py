"""Load feeds from a source into schema `raw`: only what is new, never half.

One transaction per feed. An input (see `warehouse.sources.base`) is loaded once for each content that it has; a
changed input replaces its own rows. Rows are upserted by the contract's key: of two inputs with the same key the later
load wins. Two rows with one key within ONE input are kept for the validation, which has a rule for them. An input that
vanishes from its source leaves its rows: history is not forgotten because a folder was tidied.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import duckdb

from warehouse.casting import INPUT_COLUMN, Offer, offer
from warehouse.contracts import Table
from warehouse.contracts.table import quote
from warehouse.quarantine import set_aside
from warehouse.sources.base import Input, Relation, Source, unreadable


@dataclass(frozen=True, kw_only=True)
class FeedLoad:
    """What happened to one feed: counts of inputs and rows."""

    feed: str
    inputs_seen: int = 0
    inputs_loaded: int = 0
    rows_read: int = 0
    rows_replaced: int = 0
    rows_quarantined: int = 0
    unknown_columns: tuple[str, ...] = ()

    @property
    def inputs_skipped(self) -> int:
        """Inputs whose content was loaded before."""
        return self.inputs_seen - self.inputs_loaded


def load_feed(con: duckdb.DuckDBPyConnection, source: Source, table: Table, run_id: str) -> FeedLoad:
    """Load what is new of one feed, in one transaction.

    `warehouse.sources.FeedError` says why it could not; then nothing changed.
    """
    inputs = source.inputs(con, table.name)
    fresh = _not_yet_loaded(con, table, inputs)
    if not fresh:
        return FeedLoad(feed=table.name, inputs_seen=len(inputs))
    con.execute("begin")
    try:
        _number_loads(con, fresh)
        _retire_older_versions(con, table)
        unknown, quarantined = _insert_rows(con, source, table, fresh, run_id)
        _count_rows(con, table, run_id)
        _retire_older_keys(con, table)
        rows_read, rows_replaced = _write_diary(con, table, unknown, run_id)
        con.execute("commit")
    except BaseException:
        con.execute("rollback")
        raise
    return FeedLoad(
        feed=table.name,
        inputs_seen=len(inputs),
        inputs_loaded=len(fresh),
        rows_read=rows_read,
        rows_replaced=rows_replaced,
        rows_quarantined=quarantined,
        unknown_columns=tuple(sorted(unknown)),
    )


def _not_yet_loaded(con: duckdb.DuckDBPyConnection, table: Table, inputs: Sequence[Input]) -> list[Input]:
    known = con.execute(
        "select input_name, content_hash from ops.loads where feed = $1 and status = 'loaded'", [table.name]
    ).fetchall()
    loaded = {Input(*row) for row in known}
    return [item for item in inputs if item not in loaded]


def _number_loads(con: duckdb.DuckDBPyConnection, fresh: Sequence[Input]) -> None:
    """Temporary tables of one feed's loading: the new loads, numbered in input order, and the rows that make way."""
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
    con.execute("create or replace temp table superseded (row_id BIGINT, by_load BIGINT)")


def _retire_older_versions(con: duckdb.DuckDBPyConnection, table: Table) -> None:
    con.execute(
        f"""
        insert into superseded
        select old_row.rowid, new_loads.load_id
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


def _insert_rows(
    con: duckdb.DuckDBPyConnection, source: Source, table: Table, fresh: Sequence[Input], run_id: str
) -> tuple[set[str], int]:
    """Insert the rows of the new loads; returns the unknown columns and the number of rows set aside."""
    unknown: set[str] = set()
    quarantined = 0
    for relation in source.relations(con, table.name, fresh):
        try:
            described = con.execute(f"describe {relation.sql}").fetchall()
            offered = offer(table, relation, {row[0]: row[1] for row in described})
            quarantined += _insert_relation(con, relation, offered, run_id)
        except duckdb.Error as error:
            raise unreadable(table.name, relation.label, error) from error
        unknown.update(offered.unknown_columns)
    return unknown, quarantined


def _insert_relation(con: duckdb.DuckDBPyConnection, relation: Relation, offered: Offer, run_id: str) -> int:
    rows = f"({relation.sql})"
    if not offered.is_certain:
        # Kept once as text, so that a row that does not parse can be set aside as it was.
        con.execute(
            f"create or replace temp table incoming as "
            f"select *, {offered.broken_rules} as _broken_rules from {rows} as relation"
        )
        rows = "(from incoming where _broken_rules = '')"
    con.execute(
        f"""
        insert into {offered.table.qualified_name} ({offered.column_list}, _load_id)
        select {offered.parsed_list}, load_id
        from {rows} as relation
        join new_loads on new_loads.input_name = relation.{INPUT_COLUMN}
        """
    )
    return 0 if offered.is_certain else set_aside(con, relation, offered, run_id)


def _count_rows(con: duckdb.DuckDBPyConnection, table: Table, run_id: str) -> None:
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
            join new_loads using (input_name)
            where run_id = $run_id and table_name = $feed
        )
        group by load_id
        """,
        {"run_id": run_id, "feed": table.name},
    )


def _retire_older_keys(con: duckdb.DuckDBPyConnection, table: Table) -> None:
    """Of each key that the new loads have, keep the rows of the latest load only."""
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

        select old_row.rowid, newest_load
        from {table.qualified_name} as old_row
        join newest using ({key})
        where old_row._load_id < newest_load
        """
    )
    con.execute(f"delete from {table.qualified_name} where rowid in (select row_id from superseded)")


def _write_diary(con: duckdb.DuckDBPyConnection, table: Table, unknown: set[str], run_id: str) -> tuple[int, int]:
    """One row of ops.loads per new load; returns rows read and older rows replaced."""
    con.execute(
        """
        insert into ops.loads
            (load_id, feed, input_name, content_hash, status, rows_read, rows_replaced, unknown_columns, run_id,
             loaded_at)
        with replaced as (
            select by_load as load_id, count(*) as replaced_count
            from superseded
            group by by_load
        )
        select
            load_id, $feed, input_name, content_hash, 'loaded',
            coalesce(row_count, 0), coalesce(replaced_count, 0),
            nullif($unknown, ''), $run_id, now()::timestamp
        from new_loads
        left join rows_read using (load_id)
        left join replaced using (load_id)
        """,
        {"feed": table.name, "unknown": ",".join(sorted(unknown)), "run_id": run_id},
    )
    rows_read, rows_replaced = con.execute(
        "select (select coalesce(sum(row_count), 0) from rows_read), (select count(*) from superseded)"
    ).fetchall()[0]
    return int(rows_read), int(rows_replaced)
