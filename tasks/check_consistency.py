"""Check the promises between heads: what one head says, the others act on."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import duckdb

from tasks.decisions.context import prepare
from tasks.gates import GateStopped
from tasks.night import Night
from warehouse.connect import SQL_FOLDER
from warehouse.contracts import PUBLISHED_TABLES
from warehouse.contracts.table import literal


@dataclass(frozen=True, kw_only=True)
class Promise:
    """One promise: `broken` is a query whose rows, one text column, say what breaks it."""

    name: str
    meaning: str
    broken: str


@dataclass(frozen=True)
class ConsistencyReport:
    """The promises that were checked, all of them kept."""

    promises: tuple[str, ...]

    def __str__(self) -> str:
        return f"{len(self.promises)} promises kept"


def promises() -> list[Promise]:
    """Every file of warehouse/consistency, its first line being the meaning."""
    return [_from_file(file) for file in sorted(Path(SQL_FOLDER / "consistency").glob("*.sql"))]


def check_consistency(con: duckdb.DuckDBPyConnection, night: Night) -> ConsistencyReport:
    """Record every promise in `ops.consistency_checks`.

    GateStopped (consistency) when one is broken, with an example.
    """
    prepare(con, night)
    results = judge_promises(con)
    con.execute("delete from ops.consistency_checks where run_id = $1", [night.run_id])
    con.executemany(
        """insert into ops.consistency_checks by name
        select $1 as run_id, $2 as promise, $3 as meaning, $4 = 0 as is_kept, $4 as violations, $5 as example""",
        [
            (night.run_id, promise.name, promise.meaning, count, example)
            for promise, (count, example) in results.items()
        ],
    )
    broken = {promise: found for promise, found in results.items() if found[0]}
    if broken:
        said = "; ".join(
            f"{promise.name} is broken by {count} rows, such as {example}"
            for promise, (count, example) in broken.items()
        )
        raise GateStopped(
            "consistency",
            f"the decisions contradict each other: {said}.",
            "see ops.consistency_checks in the warehouse, mend the rules or the feed that it names, and run again.",
        )
    return ConsistencyReport(tuple(promise.name for promise in results))


def judge_promises(con: duckdb.DuckDBPyConnection) -> dict[Promise, tuple[int, str | None]]:
    """{promise: (rows that break it, one of them in words)}, of what is decided in schema `predictions`."""
    _name_published_rows(con)
    return {promise: _violations(con, promise) for promise in promises()}


def _violations(con: duckdb.DuckDBPyConnection, promise: Promise) -> tuple[int, str | None]:
    found = con.execute(f"select count(*), min(example) from ({promise.broken}) as broken (example)").fetchone()
    return (int(found[0]), found[1]) if found else (0, None)


def _from_file(file: Path) -> Promise:
    text = file.read_text(encoding="utf-8")
    return Promise(name=file.stem, meaning=text.splitlines()[0].removeprefix("-- "), broken=text)


def _name_published_rows(con: duckdb.DuckDBPyConnection) -> None:
    """The view `published_rows`: of each row of each published table, which night wrote it."""
    rows = " union all ".join(
        f"select {literal(table.name)} as table_name, run_id, as_of_date, predicted_at from {table.qualified_name}"
        for table in PUBLISHED_TABLES
    )
    con.execute(f"create or replace temp view published_rows as {rows}")
