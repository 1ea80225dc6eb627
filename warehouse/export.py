"""A release as files that other programs read: Parquet, or CSV that a spreadsheet cannot mistake for formulas."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Literal

import duckdb

from warehouse.connect import open_with_files
from warehouse.contracts import PUBLISHED_TABLES, Column, Table
from warehouse.contracts.table import literal, quote

Format = Literal["parquet", "csv"]
_OPTIONS = {"parquet": "format parquet, compression zstd", "csv": "format csv, header"}
# What a spreadsheet takes for the beginning of a formula.
_FORMULA = "^[=+@\\t\\r-]"


def export_release(file: Path, folder: Path, kind: Format) -> dict[str, int]:
    """Write each published table of the release into `folder/<run id>/<table>.<kind>`; rows by table.

    The folder is written beside and renamed, so that nobody reads half an export; an earlier one of the same release
    gives way.
    """
    target = folder / file.stem
    draft, earlier = target.with_name(f"{target.name}.tmp"), target.with_name(f"{target.name}.old")
    for leftover in (draft, earlier):
        shutil.rmtree(leftover, ignore_errors=True)
    draft.mkdir(parents=True)
    with open_with_files(file) as con:
        rows = {table.name: write_table(con, table, draft / f"{table.name}.{kind}", kind) for table in PUBLISHED_TABLES}
    if target.exists():
        target.rename(earlier)
    draft.rename(target)
    shutil.rmtree(earlier, ignore_errors=True)
    return rows


def write_table(con: duckdb.DuckDBPyConnection, table: Table, file: Path, kind: Format) -> int:
    """Write one table of the release that `con` has open; its number of rows.

    Rows lie in the order of the key, so that the same release gives the same file.
    """
    columns = ", ".join(_cell(column) if kind == "csv" else quote(column.name) for column in table.columns)
    key = ", ".join(f"exported.{quote(name)}" for name in table.key)
    query = f"select {columns} from {table.qualified_name} as exported order by {key}"
    written = con.execute(f"copy ({query}) to {literal(str(file))} ({_OPTIONS[kind]})").fetchone()
    return int(written[0]) if written else 0


def _cell(column: Column) -> str:
    """The column as a spreadsheet may read it: lists as JSON, and before a text like a formula an apostrophe."""
    name = quote(column.name)
    if column.type == "VARCHAR":
        return f"if(regexp_matches({name}, {literal(_FORMULA)}), '''' || {name}, {name}) as {name}"
    return f"cast(to_json({name}) as varchar) as {name}" if column.type.endswith("[]") else name
