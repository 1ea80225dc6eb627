"""The published file of one night: its tables, with their meaning, views of the current ones, and the diary."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

import duckdb

from warehouse.connect import transaction
from warehouse.contracts import OPS_TABLES, PUBLISHED_TABLES, Table
from warehouse.contracts.ddl import comment_all, create_all
from warehouse.contracts.ops_people import DECISION_COUNTS, EXPERIMENT_LIFTS
from warehouse.contracts.table import literal, quote

# Readers with an older DuckDB can open the file; every 1.5 can.
STORAGE_VERSION = "v1.5.0"
# Nobody writes a file that readers have; the group reads it.
READERS_ONLY = 0o440


@dataclass(frozen=True, kw_only=True)
class Release:
    """One row of `ops.releases`: from `released_at` on, readers see this night."""

    release_number: int
    run_id: str
    as_of_date: date
    file_name: str
    kind: str
    reason: str
    released_by: str
    released_at: datetime
    is_current: bool = True


def build_file(con: duckdb.DuckDBPyConnection, path: Path, release: Release) -> None:
    """Write the file from the warehouse's schemas `predictions` and `ops`; nobody sees it before it is swapped in.

    Personal data that a quarantined row may hold stays in the warehouse: the file names its key and rules only.
    """
    (warehouse,) = con.execute("select current_database()").fetchone() or ("",)
    con.execute(f"attach {literal(str(path))} as published (storage_version {literal(STORAGE_VERSION)})")
    try:
        con.execute("use published")
        with transaction(con):
            tables = (*PUBLISHED_TABLES, *OPS_TABLES)
            create_all(con, tables)
            comment_all(con, tables)
            for table in tables:
                _copy(con, warehouse, table)
            for table in (*PUBLISHED_TABLES, EXPERIMENT_LIFTS, DECISION_COUNTS):
                _create_latest_view(con, table)
            _tell_of_release(con, release)
    finally:
        con.execute(f"use {quote(warehouse)}")
        # Detaching writes the log into the file, so that the file alone is the release.
        con.execute("detach published")


def _copy(con: duckdb.DuckDBPyConnection, warehouse: str, table: Table) -> None:
    columns = ", ".join(quote(name) for name in table.column_names)
    source = f"{quote(warehouse)}.{table.qualified_name}"
    con.execute(f"insert into {table.qualified_name} ({columns}) select {columns} from {source}")


def _create_latest_view(con: duckdb.DuckDBPyConnection, table: Table) -> None:
    """Names are not qualified by the database: whoever opens or attaches the file gives it a name of its own."""
    name = f"{table.name}_latest"
    view = f"{quote(table.schema)}.{quote(name)}"
    con.execute(
        f"create view {view} as select * from {table.qualified_name} "
        "where run_id in (select run_id from ops.releases where is_current)"
    )
    con.execute(f"comment on view {view} is {literal(f'{table.comment} Of the current release.')}")
    for column in table.columns:
        con.execute(f"comment on column {view}.{quote(column.name)} is {literal(column.meaning)}")


def _tell_of_release(con: duckdb.DuckDBPyConnection, release: Release) -> None:
    """What the warehouse's diary will say once readers see the file."""
    con.execute("update ops.releases set is_current = false")
    insert_release(con, release)
    con.execute(
        "update ops.runs set status = 'released', finished_at = $2 where run_id = $1",
        [release.run_id, release.released_at],
    )
    con.execute("delete from ops.quarantined_rows where run_id <> $1", [release.run_id])
    con.execute("update ops.quarantined_rows set row_json = null")


def insert_release(con: duckdb.DuckDBPyConnection, release: Release) -> None:
    """Add the row to `ops.releases` of the connection's database."""
    names = list(vars(release))
    places = ", ".join(f"${number + 1}" for number in range(len(names)))
    con.execute(f"insert into ops.releases ({', '.join(names)}) values ({places})", list(vars(release).values()))
