"""What must hold of a home, however often its nights were killed."""

from __future__ import annotations

from pathlib import Path

import duckdb

from warehouse.connect import open_read_only
from warehouse.contracts import FEEDS, PUBLISHED_TABLES, Table
from warehouse.contracts.table import quote

# Who wrote a row and when; everything else must be equal.
OF_THE_RUN = {"run_id", "predicted_at", "model_version", "_load_id"}

Contents = dict[str, tuple[object, ...]]


def published(file: Path) -> Contents:
    """{table: number of rows and a hash of all of them} of a published file, without who wrote them and when."""
    with open_read_only(file) as con:
        return {table.name: _contents(con, table) for table in PUBLISHED_TABLES}


def loaded(home: Path) -> Contents:
    """The same of every raw table, of the bookkeeping of what was loaded, and of what was set aside."""
    with open_read_only(home / "warehouse.duckdb") as con:
        contents = {table.qualified_name: _contents(con, table) for table in FEEDS}
        for name, columns in {
            "ops.loads": "feed, input_name, content_hash, status, rows_read, rows_replaced",
            "ops.quarantined_rows": "table_name, row_key, broken_rules, row_json",
        }.items():
            contents[name] = _hash(con, f"select {columns} from {name}")
        return contents


def one_whole_night(file: Path) -> str | None:
    """What is wrong with what readers see, None when it is one night whose every table is of it."""
    if not file.is_symlink():
        return None  # before the first release
    try:
        with open_read_only(file) as con:
            runs = con.execute(every_table("select distinct run_id from {table}", "union")).fetchall()
            current = con.execute("select run_id from ops.releases where is_current").fetchall()
    except duckdb.Error as error:
        return f"cannot be read: {error}"
    return None if runs == current and len(runs) == 1 else f"shows {runs} while {current} is current"


def every_table(select: str, by: str) -> str:
    """The query of every published table, combined."""
    return f" {by} ".join(
        select.format(table=f"predictions.{quote(f'{table.name}_latest')}") for table in PUBLISHED_TABLES
    )


def leftovers(home: Path) -> list[str]:
    """What lies in the home or stands in its diary that an undisturbed night would not have left there."""
    with open_read_only(home / "warehouse.duckdb") as con:
        released = {run_id for (run_id,) in con.execute("select run_id from ops.releases").fetchall()}
        running = con.execute("select run_id from ops.runs where status = 'running'").fetchall()
    half = [path for pattern in ("*.tmp", "*.part", "*.new", "duckdb_temp_*") for path in home.rglob(pattern)]
    half += [path for path in (home / "models").glob("*") if path.name not in released]
    half += [path for path in (home / "published").glob("*") if path.stem not in released]
    half += (home / "flow_runs").glob("*")
    names = {path.relative_to(home).as_posix() for path in half}
    owner = (home / "night.lock").read_text()
    return [*sorted(names), *(f"{run} is running" for (run,) in running), *([owner] if owner else [])]


def differences(what: str, expected: Contents, found: Contents) -> list[str]:
    """Where the tables that were found are not those that were expected."""
    return [
        f"{what} {name}: {found[name][0]} rows {'of other content' if rows == found[name][0] else f'instead of {rows}'}"
        for name, (rows, digest) in expected.items()
        if found[name] != (rows, digest)
    ]


def _contents(con: duckdb.DuckDBPyConnection, table: Table) -> tuple[object, ...]:
    shown = ", ".join(quote(name) for name in table.column_names if name not in OF_THE_RUN)
    return _hash(con, f"select {shown} from {table.qualified_name}")


def _hash(con: duckdb.DuckDBPyConnection, rows: str) -> tuple[object, ...]:
    # A sum, not an exclusive or: a row that is there twice must not cancel itself out.
    return con.execute(f"select count(*), sum(hash(rows)::hugeint) from ({rows}) as rows").fetchall()[0]
