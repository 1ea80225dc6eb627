"""One feed judged: what Great Expectations found, which rows have to leave, and whether the night may go on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import duckdb

from warehouse.contracts.table import Table
from warehouse.validation.quarantine import BrokenRows, critical_row_rules, find_broken_rows
from warehouse.validation.results import Result
from warehouse.validation.rules_sql import with_examples
from warehouse.validation.scope import Scope, new_rows


class Checker(Protocol):
    """What checks every rule of a feed: `warehouse.validation.suite.Suites`."""

    def check(self, scope: Scope) -> list[Result]:
        """One result for each rule of the feed, in declared order."""
        ...


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What is known of one feed. `broken` is None where nothing was there or a check could not be run."""

    table: Table
    results: tuple[Result, ...]
    broken: BrokenRows | None = None

    @property
    def objections(self) -> list[Result]:
        """The results that forbid to go on: a check that could not be run, or a critical rule about the table."""
        return [
            result
            for result in self.results
            if result.is_unchecked
            or (not result.is_passed and result.severity == "critical" and result.scope == "table")
        ]


def judge(con: duckdb.DuckDBPyConnection, checker: Checker, table: Table) -> Verdict:
    """Check the feed's new rows and find those that break a critical rule; the feed itself is not changed."""
    with new_rows(con, table) as scope:
        results = checker.check(scope)
        if any(result.is_unchecked for result in results):
            return Verdict(table=table, results=tuple(results))
        by_name = {result.rule: result for result in results}
        ambiguous = [
            rule for rule in critical_row_rules(table) if rule.kind == "unique" and not by_name[rule.name].is_passed
        ]
        broken = find_broken_rows(con, scope, ambiguous)
        detailed = [with_examples(con, table, by_name[rule.name], scope.relation_of(rule)) for rule in table.all_rules]
    checks = (*detailed, *_disagreements(table, by_name, broken), _share_set_aside(scope, detailed, broken))
    return Verdict(table=table, results=checks, broken=broken)


def empty_feed(table: Table) -> Verdict:
    """The verdict on a feed that may be absent, and is: nothing to check, for the record."""
    result = Result(
        table_name=table.name,
        rule="has_rows",
        meaning="a feed without rows is not checked",
        severity="info",
        scope="table",
        is_passed=True,
        rows_checked=0,
        rows_broken=0,
        detail="the feed has no rows",
    )
    return Verdict(table=table, results=(result,))


def _share_set_aside(scope: Scope, results: Sequence[Result], broken: BrokenRows) -> Result:
    """The contract's limit on the share of tonight's new rows that may leave the feed."""
    limit = scope.table.most_quarantined(scope.new_rows)
    is_passed = broken.row_count <= limit
    detail = None
    if broken.row_count:
        detail = f"{broken.row_count:,} of {scope.new_rows:,} new rows"
    if not is_passed:
        causes = [f"{result.rule} {result.detail}" for result in results if _sets_rows_aside(result)]
        detail = f"{detail} ({'; '.join(causes)})"
    return Result(
        table_name=scope.table.name,
        rule="few_rows_set_aside",
        meaning=f"at most {limit:,} of the new rows break a critical rule",
        severity="critical",
        scope="table",
        is_passed=is_passed,
        rows_checked=scope.new_rows,
        rows_broken=broken.row_count,
        detail=detail,
    )


def _sets_rows_aside(result: Result) -> bool:
    return not result.is_passed and result.severity == "critical" and result.scope == "row"


def _disagreements(table: Table, results: dict[str, Result], broken: BrokenRows) -> list[Result]:
    """Great Expectations and the scan that moves rows count the same rows by the same rules; should they ever
    differ, neither can be trusted and nothing may move."""
    return [
        Result(
            table_name=table.name,
            rule=f"{rule}_counts_agree",
            meaning=f"{rule} is counted alike by Great Expectations and by SQL",
            severity="critical",
            scope="table",
            is_passed=False,
            rows_checked=results[rule].rows_checked,
            rows_broken=abs(results[rule].rows_broken - count),
            detail=f"Great Expectations counts {results[rule].rows_broken:,} rows, SQL {count:,}: please report it",
        )
        for rule, count in broken.by_rule.items()
        if results[rule].rows_broken != count
    ]
