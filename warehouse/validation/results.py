"""What a check found, and its place in the diary."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields

import duckdb
import polars

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
    found = polars.DataFrame([asdict(result) for result in results], infer_schema_length=None)
    if found.is_empty():
        return
    con.register("found", found)
    con.execute(
        "delete from ops.quality_checks where run_id = $1 and table_name in (select table_name from found)", [run_id]
    )
    names = ", ".join(field.name for field in fields(Result))
    con.execute(
        f"insert into ops.quality_checks (run_id, {names}, checked_at) "
        f"select $1, {names}, now() at time zone 'UTC' from found",
        [run_id],
    )
    con.unregister("found")
