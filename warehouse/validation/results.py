"""What a check found, and its place in the diary."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import astuple, dataclass, fields

import duckdb

from warehouse.contracts.table import Rule, Scope, Severity


@dataclass(frozen=True, kw_only=True)
class Result:
    """One rule checked once: the columns of `ops.quality_checks` but the night and the moment.

    A rule about the whole table breaks 1 row, or those that it counts. `expectation` is empty where plain SQL checked.
    """

    table_name: str
    rule: str
    meaning: str
    expectation: str | None = None
    severity: Severity
    scope: Scope
    is_passed: bool
    rows_checked: int
    rows_broken: int
    detail: str | None = None

    @property
    def is_unchecked(self) -> bool:
        """Whether the check could not be run."""
        return not self.is_passed and self.rows_broken == 0


def result_of(
    table_name: str, rule: Rule, rows_checked: int, rows_broken: int, expectation: str | None = None
) -> Result:
    """The result of a rule whose broken rows were counted."""
    return Result(
        table_name=table_name,
        rule=rule.name,
        meaning=rule.meaning,
        expectation=expectation,
        severity=rule.severity,
        scope=rule.scope,
        is_passed=rows_broken == 0,
        rows_checked=rows_checked,
        rows_broken=rows_broken,
    )


def record(con: duckdb.DuckDBPyConnection, run_id: str, results: Iterable[Result]) -> None:
    """Write the results into `ops.quality_checks`, instead of what the same run wrote about the same tables."""
    rows = [(run_id, *astuple(result)) for result in results]
    con.executemany(
        "delete from ops.quality_checks where run_id = $1 and table_name = $2",
        sorted({(run_id, table_name) for _, table_name, *_ in rows}),
    )
    names = ", ".join(["run_id", *(field.name for field in fields(Result))])
    values = ", ".join(f"${number}" for number in range(1, len(fields(Result)) + 2))
    con.executemany(
        f"insert into ops.quality_checks ({names}, checked_at) values ({values}, now() at time zone 'UTC')", rows
    )
