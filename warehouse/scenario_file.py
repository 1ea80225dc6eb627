"""What is kept of scenarios: one small file beside the releases, replaced in one step, so that readers never wait."""

from __future__ import annotations

import os
from pathlib import Path

import duckdb

from warehouse import lock
from warehouse.connect import transaction
from warehouse.contracts.ddl import comment_statements, create_table
from warehouse.contracts.scenarios import SCENARIO_TABLES
from warehouse.contracts.table import Table, literal, quote
from warehouse.release_file import READERS_ONLY, STORAGE_VERSION


def scenario_file(home: Path) -> Path:
    """Where scenarios are kept. Its tables need no schema: opened or attached, the file itself is called scenarios."""
    return home / "scenarios" / "scenarios.duckdb"


def keep_scenario(con: duckdb.DuckDBPyConnection, home: Path, scenario_id: str) -> Path:
    """Add the rows of the temporary tables scenario_<table> to the kept scenarios, in place of the same scenario's.

    The file is made anew beside the old one and renamed: who reads it keeps what was there.
    """
    file = scenario_file(home)
    with lock.writing(file.parent, f"scenario {scenario_id}"):
        draft = file.with_suffix(".tmp")
        draft.unlink(missing_ok=True)
        if file.exists():
            con.execute(f"attach {literal(str(file))} as earlier_scenarios (read_only)")
        con.execute(f"attach {literal(str(draft))} as scenarios (storage_version {literal(STORAGE_VERSION)})")
        try:
            with transaction(con):
                for table in SCENARIO_TABLES:
                    _write(con, table, scenario_id, has_kept=file.exists())
        finally:
            con.execute("detach scenarios")
            con.execute("detach database if exists earlier_scenarios")
        draft.chmod(READERS_ONLY)
        with draft.open("rb") as handle:
            os.fsync(handle.fileno())
        draft.replace(file)
    return file


def _write(con: duckdb.DuckDBPyConnection, table: Table, scenario_id: str, *, has_kept: bool) -> None:
    """The table as today's contract has it: a column that an older file lacks is empty for its scenarios."""
    con.execute(create_table(table))
    for statement in comment_statements(table):
        con.execute(statement)
    if has_kept:
        known = con.execute(
            "select column_name from duckdb_columns() where database_name = 'earlier_scenarios' and table_name = $1",
            [table.name],
        ).fetchall()
        columns = ", ".join(quote(name) for name in table.column_names if (name,) in known)
        if columns:
            con.execute(
                f"insert into {table.qualified_name} by name "
                f"select {columns} from earlier_scenarios.{quote(table.name)} where scenario_id <> $1",
                [scenario_id],
            )
    columns = ", ".join(quote(name) for name in table.column_names if name != "scenario_id")
    key = ", ".join(quote(name) for name in table.key)
    con.execute(
        f"insert into {table.qualified_name} by name "
        f"select $1 as scenario_id, {columns} from temp.{quote(f'scenario_{table.name}')} order by {key}",
        [scenario_id],
    )
