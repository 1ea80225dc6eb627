"""Check every feed by its contract before anything learns from it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

import duckdb

from tasks.balance_rows import balance_rows
from tasks.gates import GateStopped
from tasks.night import Night
from tasks.progress import report
from warehouse.connect import transaction
from warehouse.contracts import FEEDS, Table
from warehouse.validation.freshness import check_freshness
from warehouse.validation.quarantine import set_aside
from warehouse.validation.rerun import begin_again, let_pass
from warehouse.validation.results import Result, record
from warehouse.validation.verdict import Verdict, empty_feed, judge


@dataclass(frozen=True, kw_only=True)
class ValidationReport:
    """How many rules were checked, how many did not hold by severity, and how many rows left the feeds.

    `failed` are the checks that did not hold; `data_docs` is their first page, '' where none was asked for.
    """

    checks: int
    failed_critical: int
    failed_warning: int
    failed_info: int
    quarantined_rows: int
    data_docs: str = ""
    failed: tuple[Result, ...] = ()

    def __str__(self) -> str:
        failed = f"{self.failed_critical} critical, {self.failed_warning} warning and {self.failed_info} info"
        return f"{self.checks} checks, of which {failed} did not hold; {self.quarantined_rows:,} rows set aside"


def validate_feeds(con: duckdb.DuckDBPyConnection, night: Night, feeds: Sequence[Table] = FEEDS) -> ValidationReport:
    """Check the rows that no earlier night has checked, record every result and set broken rows aside.

    `GateStopped` when a rule about a whole feed is broken, a check cannot be run, or more of a feed's new rows than
    its contract allows break a critical rule: all results are recorded then, and every row stays where it is. Also when
    rows were lost on the way.
    """
    # Importing Great Expectations takes seconds, which nothing but this step should pay.
    from warehouse.validation.suite import open_suites

    with transaction(con):
        begin_again(con, night.run_id, night.as_of_date, feeds)
    verdicts: list[Verdict] = []
    with open_suites(con, night.run_id) as suites:
        for number, table in enumerate(feeds):
            report(f"Validate {table.name}", number / len(feeds))
            if _is_absent(con, table):
                verdicts.append(empty_feed(table))
                continue
            verdict = judge(con, suites, table)
            if table.event_column:
                freshness = check_freshness(con, table, night.as_of_date)
                verdict = replace(verdict, results=(*verdict.results, freshness))
            verdicts.append(verdict)
        data_docs = ""
        if night.validation.build_data_docs:
            data_docs = str(suites.write_data_docs(night.data_docs_folder))
    _conclude(con, night, verdicts)
    balance_rows(con, night, feeds)
    report("Validate done", 1.0)
    return _summary(verdicts, data_docs)


def _is_absent(con: duckdb.DuckDBPyConnection, table: Table) -> bool:
    """Whether the feed has no rows and a night can do without it."""
    return not table.essential and not con.execute(f"from {table.qualified_name} limit 1").fetchall()


def _conclude(con: duckdb.DuckDBPyConnection, night: Night, verdicts: Sequence[Verdict]) -> None:
    """Record every result; then set broken rows aside, or refuse to go on."""
    objections = [result for verdict in verdicts for result in verdict.objections]
    with transaction(con):
        record(con, night.run_id, [result for verdict in verdicts for result in verdict.results])
        if not objections:
            for verdict in verdicts:
                if verdict.broken:
                    set_aside(con, night.run_id, verdict.broken, night.validation.quarantine_row_limit)
            let_pass(con, night.run_id, [verdict.table for verdict in verdicts])
    if objections:
        seen = [
            f"{result.table_name} breaks {result.rule} ({result.meaning}): {result.detail}" for result in objections
        ]
        raise GateStopped(
            "data",
            f"{'; '.join(seen)}.",
            "correct the rows in the input, or the contract if it asks too much, and run the night again; "
            "ops.quality_checks in the warehouse has every result.",
        )


def _summary(verdicts: Sequence[Verdict], data_docs: str) -> ValidationReport:
    results = [result for verdict in verdicts for result in verdict.results]
    failed = tuple(result for result in results if not result.is_passed)
    by_severity = Counter(result.severity for result in failed)
    return ValidationReport(
        checks=len(results),
        failed_critical=by_severity["critical"],
        failed_warning=by_severity["warning"],
        failed_info=by_severity["info"],
        quarantined_rows=sum(verdict.broken.row_count for verdict in verdicts if verdict.broken),
        data_docs=data_docs,
        failed=failed,
    )
