"""Rows that do not parse: kept whole in `ops.quarantined_rows`, counted, and limited by the contract."""

from __future__ import annotations

import duckdb

from warehouse.casting import BROKEN_COLUMN, INPUT_COLUMN, Offer
from warehouse.contracts import Table
from warehouse.contracts.table import literal, quote
from warehouse.sources.base import FeedError


def set_aside(con: duckdb.DuckDBPyConnection, offered: Offer, run_id: str) -> int:
    """Move the broken rows of the temporary table `incoming` to quarantine; returns their number.

    FeedError names the first one when they are more than the contract tolerates.
    """
    table = offered.table
    rows, broken = con.execute(f"select count(*), count(*) filter ({BROKEN_COLUMN} <> '') from incoming").fetchall()[0]
    if not broken:
        return 0
    if broken > table.most_quarantined(rows):
        raise _too_many(con, offered, rows, broken)
    known_keys = [name for name in table.key if name in offered.types]
    row_key = ", ".join(f"{literal(name)}, incoming.{quote(name)}" for name in known_keys)
    con.execute(
        f"""
        insert into ops.quarantined_rows
            (run_id, table_name, row_number, row_key, broken_rules, row_json, input_name, load_id, quarantined_at)
        with earlier as (
            select coalesce(max(row_number), 0) as last_number
            from ops.quarantined_rows
            where run_id = $run_id and table_name = $feed
        )
        select
            $run_id,
            $feed,
            last_number + row_number() over (order by incoming.rowid),
            json_object({row_key}),
            {BROKEN_COLUMN},
            to_json(columns_of_the_file),
            incoming.{INPUT_COLUMN},
            new_loads.load_id,
            now()::timestamp
        from incoming
        join new_loads on new_loads.input_name = incoming.{INPUT_COLUMN},
            earlier, lateral (select {_whole_row(con)} as columns_of_the_file)
        where {BROKEN_COLUMN} <> ''
        """,
        {"run_id": run_id, "feed": table.name},
    )
    return int(broken)


def _whole_row(con: duckdb.DuckDBPyConnection) -> str:
    """The row as it was delivered, as a struct expression."""
    names = [row[0] for row in con.execute("describe incoming").fetchall()]
    fields = [f"{quote(name)} := incoming.{quote(name)}" for name in names if name not in (INPUT_COLUMN, BROKEN_COLUMN)]
    return f"struct_pack({', '.join(fields)})"


def _too_many(con: duckdb.DuckDBPyConnection, offered: Offer, rows: int, broken: int) -> FeedError:
    """The error for a relation with too many broken rows, with the first of them as the example."""
    table: Table = offered.table
    # Row ids within an open transaction start at a large number, but count up in file order.
    row_id, file, row_number, rules = con.execute(
        f"""
        with numbered as (
            select rowid as row_id, {INPUT_COLUMN}, {BROKEN_COLUMN},
                1 + rowid - min(rowid) over (partition by {INPUT_COLUMN}) as row_number
            from incoming
        )

        select row_id, {INPUT_COLUMN}, row_number, {BROKEN_COLUMN}
        from numbered
        where {BROKEN_COLUMN} <> ''
        order by row_id
        limit 1
        """
    ).fetchall()[0]
    rule = rules.split(",")[0]
    column = table.column(rule.removesuffix("_parses"))
    value = con.execute(f"select {quote(column.name)}::varchar from incoming where rowid = $1", [row_id]).fetchall()
    # An error message travels: what tells something about a person stays in the file.
    shown = "the value" if column.pii else repr(value[0][0])
    return FeedError(
        f"{shown} in column {column.name!r} is no {column.type}; {broken} of {rows} rows do not parse and the contract "
        f"tolerates {table.most_quarantined(rows)}.",
        feed=table.name,
        file=file,
        row=row_number,
        rule=rule,
        remedy=f"deliver {column.name} as {column.type} ({column.meaning}).",
    )
