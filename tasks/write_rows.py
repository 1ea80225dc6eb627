"""Write a frame into a table in one statement."""

from __future__ import annotations

import duckdb
import polars as pl
from polars import selectors as cs


def replace_night(con: duckdb.DuckDBPyConnection, table: str, rows: pl.DataFrame, run_id: str) -> None:
    """Replace a night's rows of an `ops` table, so that a repeated night does not count twice."""
    con.execute(f"delete from {table} where run_id = $1", [run_id])
    append(con, table, defined(rows))


def defined(rows: pl.DataFrame) -> pl.DataFrame:
    """The rows with what is not defined empty, neither NaN nor infinite: SQL sorts both above every number."""
    numbers = cs.float()
    return rows.with_columns(pl.when(numbers.is_finite()).then(numbers)) if len(rows) else rows


def append(con: duckdb.DuckDBPyConnection, table: str, rows: pl.DataFrame) -> None:
    """Add rows, matching columns by name."""
    if rows.is_empty():
        return
    con.register("rows_to_write", rows.to_arrow())
    con.execute(f"insert into {table} by name select * from rows_to_write")
    con.unregister("rows_to_write")


def create(con: duckdb.DuckDBPyConnection, table: str, rows: pl.DataFrame) -> None:
    """Make the table anew from the frame."""
    con.register("rows_to_write", rows.to_arrow())
    con.execute(f"create or replace table {table} as select * from rows_to_write")
    con.unregister("rows_to_write")
