"""What the morning report tells: every SQL file of a folder here is a query of the section that the folder names.

The queries read two published files, attached as `tonight` and, where there was a night before, `before`; the diary
among them, so that a report tells what was known when its night was released. Names and history come from schema `raw`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb

from warehouse.connect import SQL_FOLDER, attached, read_sql
from warehouse.contracts import OPS_TABLES, PUBLISHED_TABLES
from warehouse.release import Release, Shelf, list_releases

Row = dict[str, Any]
Rows = list[Row]
# Query by name.
Answers = Mapping[str, Rows]

_FOLDER = SQL_FOLDER / "report"
_NIGHT = """select json_extract_string(settings_json, '$.time_zone') from tonight.ops.runs where run_id = $1"""


@dataclass(frozen=True, kw_only=True)
class Nights:
    """The night that a report is about, and the one before: None on a first night, or where its file is gone."""

    tonight: Release
    before: Release | None


def find_nights(con: duckdb.DuckDBPyConnection, shelf: Shelf, run_id: str) -> Nights:
    """The released night and the newest one of an earlier day whose file is kept; LookupError when it was never
    released, or its file is gone."""
    kept = [one for one in list_releases(con) if one.kind == "release" and shelf.file(one.run_id).exists()]
    tonight = next((one for one in kept if one.run_id == run_id), None)
    if tonight is None:
        raise LookupError(f"the file of night {run_id} is not kept in {shelf.folder}")
    earlier = [one for one in kept if one.as_of_date < tonight.as_of_date]
    before = max(earlier, key=lambda one: (one.as_of_date, one.release_number), default=None)
    return Nights(tonight=tonight, before=before)


@contextmanager
def reading(con: duckdb.DuckDBPyConnection, shelf: Shelf, nights: Nights) -> Iterator[None]:
    """Within the block `read_section` finds both nights; `con` is open on the warehouse."""
    files = {"tonight": shelf.file(nights.tonight.run_id)}
    if nights.before:
        files["before"] = shelf.file(nights.before.run_id)
    with attached(con, files):
        _expect_contracts(con, nights.tonight)
        _set(con, "run_id", nights.tonight.run_id)
        _set(con, "as_of_date", nights.tonight.as_of_date)
        ((time_zone,),) = con.execute(_NIGHT, [nights.tonight.run_id]).fetchall()
        _set(con, "time_zone", time_zone)
        for file in _files("views"):
            con.execute(read_sql(file))
        yield


def _expect_contracts(con: duckdb.DuckDBPyConnection, tonight: Release) -> None:
    """LookupError when the night's file is of a version that knew fewer tables or columns than the queries ask for."""
    found = con.execute(
        "select schema_name || '.' || table_name || '.' || column_name from duckdb_columns() "
        "where database_name = 'tonight'"
    ).fetchall()
    tables = (*PUBLISHED_TABLES, *OPS_TABLES)
    wanted = {f"{table.schema}.{table.name}.{column}" for table in tables for column in table.column_names}
    if missing := sorted(wanted - {name for (name,) in found}):
        raise LookupError(
            f"night {tonight.run_id} was published by an earlier version, without {', '.join(missing[:3])}. "
            f"Remedy: fivefold run --force --as-of {tonight.as_of_date}; a page written then is still in reports/."
        )


def read_section(con: duckdb.DuckDBPyConnection, section: str) -> Answers:
    """The rows of each query of the section, by the name of its file; money as floats."""
    return {Path(file).stem: _rows(con, file) for file in _files(section)}


def _files(folder: str) -> list[str]:
    return [f"report/{folder}/{file.name}" for file in sorted((_FOLDER / folder).glob("*.sql"))]


def _rows(con: duckdb.DuckDBPyConnection, file: str) -> Rows:
    cursor = con.execute(read_sql(file))
    names = [column[0] for column in cursor.description]
    return [dict(zip(names, map(_plain, row), strict=True)) for row in cursor.fetchall()]


def _plain(value: object) -> object:
    return float(value) if isinstance(value, Decimal) else value


def _set(con: duckdb.DuckDBPyConnection, name: str, value: str | date) -> None:
    con.execute(f"set variable {name} = $1", [value])
