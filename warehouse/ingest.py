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

from warehouse.casting import BROKEN_COLUMN, INPUT_COLUMN, Offer, offer
from warehouse.connect import transaction
from warehouse.contracts import Table
from warehouse.loads import (
    count_rows,
    number_loads,
    plain_strings,
    require_counts,
    retire_deleted_keys,
    retire_older_keys,
    retire_older_versions,
    write_diary,
)
from warehouse.pseudonyms import pseudonymous, pseudonymous_keys
from warehouse.quarantine import set_aside
from warehouse.sources.base import Input, Relation, Source


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
    with plain_strings(con), transaction(con):
        number_loads(con, fresh)
        retire_older_versions(con, table)
        unknown, expected, quarantined = _insert_rows(con, source, table, fresh, run_id)
        count_rows(con, table)
        require_counts(con, table, expected)
        if not source.has_disjoint_inputs(table.name):
            retire_older_keys(con, table)
        if deleted_keys := source.deleted_keys(con, table.name):
            pseudonymous_keys(con, table, deleted_keys)
            retire_deleted_keys(con, table, deleted_keys)
        rows_read, rows_replaced = write_diary(con, table, unknown, run_id)
    return FeedLoad(
        feed=table.name,
        inputs_seen=len(inputs),
        inputs_loaded=len(fresh),
        rows_read=rows_read,
        rows_replaced=rows_replaced,
        rows_quarantined=quarantined,
        unknown_columns=tuple(sorted({name for names in unknown.values() for name in names})),
    )


def _not_yet_loaded(con: duckdb.DuckDBPyConnection, table: Table, inputs: Sequence[Input]) -> list[Input]:
    known = con.execute(
        "select input_name, content_hash from ops.loads where feed = $1 and status = 'loaded'", [table.name]
    ).fetchall()
    loaded = {Input(*row) for row in known}
    return [item for item in inputs if item not in loaded]


def _insert_rows(
    con: duckdb.DuckDBPyConnection, source: Source, table: Table, fresh: Sequence[Input], run_id: str
) -> tuple[dict[str, tuple[str, ...]], dict[str, int], int]:
    """Insert the rows of the new loads; returns by input the unknown columns and the rows that the source counted, and
    the number of rows set aside."""
    unknown: dict[str, tuple[str, ...]] = {}
    expected: dict[str, int] = {}
    quarantined = 0
    for delivered in source.relations(con, table.name, fresh):
        try:
            relation = pseudonymous(con, table, delivered)
            described = con.execute(f"describe {relation.sql}").fetchall()
            offered = offer(table, relation, {row[0]: row[1] for row in described})
            quarantined += _insert_relation(con, relation, offered, run_id)
        except duckdb.Error as error:
            raise source.unreadable(table.name, _culprit(delivered, error), error) from error
        unknown.update(dict.fromkeys(relation.input_names, offered.unknown_columns))
        expected.update(relation.row_counts)
    return unknown, expected, quarantined


def _culprit(relation: Relation, error: Exception) -> str:
    """The input that the error is about, where it says so."""
    return next((name for name in relation.input_names if name in str(error)), relation.label)


def _insert_relation(con: duckdb.DuckDBPyConnection, relation: Relation, offered: Offer, run_id: str) -> int:
    rows = f"({relation.sql})"
    is_kept_as_text = not relation.is_columnar or _has_broken_row(con, rows, offered)
    if is_kept_as_text:
        # Kept once as it came, so that a row that does not parse can be set aside as it was.
        con.execute(
            f"create or replace temp table incoming as "
            f"select *, {offered.broken_rules} as {BROKEN_COLUMN} from {rows} as relation"
        )
        rows = f"(from incoming where {BROKEN_COLUMN} = '')"
    con.execute(
        f"""
        insert into {offered.table.qualified_name} ({offered.column_list}, _load_id)
        select {offered.parsed_list}, new_loads.load_id
        from {rows} as relation
        join new_loads on new_loads.input_name = relation.{INPUT_COLUMN}
        """
    )
    if not is_kept_as_text:
        return 0
    quarantined = set_aside(con, offered, run_id)
    con.execute("drop table incoming")
    return quarantined


def _has_broken_row(con: duckdb.DuckDBPyConnection, rows: str, offered: Offer) -> bool:
    return bool(con.execute(f"select 1 from {rows} as relation where {offered.is_broken} limit 1").fetchall())
