"""A warehouse in memory with two feeds of our own, whose contract has every kind of rule and names that need quotes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path

import duckdb
import pytest

from tasks.night import Night
from warehouse.connect import open_memory
from warehouse.contracts.ddl import create_all
from warehouse.contracts.ops import QUALITY_CHECKS, RUNS
from warehouse.contracts.ops_rows import LOADS, QUARANTINED_ROWS, ROW_BALANCES
from warehouse.contracts.table import (
    Rule,
    Table,
    at_least_rows,
    integer,
    moment,
    money,
    not_before,
    number,
    quote,
    text,
)

AS_OF = date(2024, 3, 1)

KINDS = Table(
    name="kinds", grain="One row per kind.", key=("kind_id",), columns=(text("kind_id", "Id", required=True),)
)
ITEMS = Table(
    name="order items",
    grain="One row per item.",
    key=("order", "line no"),
    essential=True,
    event_column="sold at",
    max_quarantined_ratio=1.0,
    columns=(
        text("order", "Order", required=True),
        integer("line no", "Line", required=True),
        text("kind", "Kind", references="kinds.kind_id"),
        text("state", "It's a state", one_of=("new", "it's old")),
        number("units", "Units", low=0, high=10),
        money("price", "Price", low=0, severity="warning"),
        moment("sold at", "When"),
        moment("sent at", "When"),
    ),
    rules=(
        at_least_rows(1),
        not_before("sent at", "sold at", severity="critical"),
        Rule(
            name="price_is_round",
            kind="sql",
            columns=("price",),
            # A colon and braces in a literal are SQL here, and nobody's parameters.
            violation="price % 1 <> 0 and coalesce(state, '') <> ':{x}'",
            meaning="the price has no cents",
            severity="info",
        ),
    ),
)
FEEDS = (KINDS, ITEMS)
TABLES = (*FEEDS, RUNS, LOADS, QUALITY_CHECKS, QUARANTINED_ROWS, ROW_BALANCES)


@pytest.fixture
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    with open_memory() as con:
        create_all(con, TABLES)
        con.execute("insert into raw.kinds values ('a', null), ('b', null)")
        yield con


@pytest.fixture
def night(tmp_path: Path) -> Night:
    return night_at(tmp_path)


def night_at(home: Path, run_id: str = "first", as_of_date: date = AS_OF, **validation: object) -> Night:
    return Night(run_id=run_id, as_of_date=as_of_date, source="files:shop", home=home, validation=validation)


def start(con: duckdb.DuckDBPyConnection, night: Night) -> None:
    """What the flow notes before its first step."""
    con.execute(
        "insert into ops.runs (run_id, as_of_date, source, started_at) values ($1, $2, 'files:shop', now())",
        [night.run_id, night.as_of_date],
    )


def load(con: duckdb.DuckDBPyConnection, load_id: int, rows: Sequence[dict[str, object]], feed: Table = ITEMS) -> None:
    """Insert rows as one input of the feed; columns that a row leaves out are those of a sound row."""
    sound = {"order": f"o{load_id}", "kind": "a", "state": "new", "units": 1.0, "price": 2}
    sound |= {"sold at": "2024-02-28", "sent at": "2024-02-29"}
    for number_in_load, row in enumerate(rows):
        values = {"line no": number_in_load, **(sound if feed is ITEMS else {}), **row, "_load_id": load_id}
        values = {name: value for name, value in values.items() if name in (*feed.column_names, "_load_id")}
        names = ", ".join(quote(name) for name in values)
        marks = ", ".join("?" for _ in values)
        con.execute(f"insert into {feed.qualified_name} ({names}) values ({marks})", list(values.values()))
    con.execute(
        "insert into ops.loads (load_id, feed, input_name, content_hash, status, run_id, loaded_at, rows_read) "
        "values ($1, $2, $3, 'hash', 'loaded', 'any', now(), $4)",
        [load_id, feed.name, f"input {load_id}", len(rows)],
    )


def rows_of(con: duckdb.DuckDBPyConnection, table: Table = ITEMS) -> list[tuple[object, ...]]:
    """Every row of a feed, with its load, in an order of their content."""
    return con.execute(f"from {table.qualified_name} order by all").fetchall()


def quarantine(con: duckdb.DuckDBPyConnection) -> list[tuple[object, ...]]:
    """Feed, number, key, rules and input of every row that was set aside."""
    return con.execute(
        "select table_name, row_number, row_key, broken_rules, row_json, input_name from ops.quarantined_rows "
        "order by all"
    ).fetchall()


def checks(con: duckdb.DuckDBPyConnection, run_id: str = "first") -> dict[str, tuple[bool, str, int, int, str | None]]:
    """By rule of the items: is_passed, severity, rows checked, rows broken, detail."""
    rows = con.execute(
        "select rule, is_passed, severity, rows_checked, rows_broken, detail from ops.quality_checks "
        "where run_id = $1 and table_name = $2",
        [run_id, ITEMS.name],
    ).fetchall()
    return {rule: tuple(values) for rule, *values in rows}
