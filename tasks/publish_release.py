"""Publish: build tonight's file aside, check it, and let readers see it in one step."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import duckdb

from tasks.decisions.context import is_served
from tasks.decisions.silent_heads import TABLES_OF_HEADS
from tasks.gates import GateStopped
from tasks.night import Night
from tasks.progress import report
from warehouse.connect import open_read_only, transaction
from warehouse.contracts import PUBLISHED_TABLES
from warehouse.release import Shelf, next_release, prune, put_on_shelf, reconcile
from warehouse.release_file import build_file
from warehouse.validation.results import Result, record
from warehouse.validation.rules_sql import check_table

# Users known to the night who must have a profile; the few without are those whose last order was taken back.
MINIMUM_COVERAGE = 0.99


@dataclass(frozen=True, kw_only=True)
class ReleaseReport:
    """What readers see from now on."""

    run_id: str
    file: Path
    rows: dict[str, int]
    removed_files: list[str]

    def __str__(self) -> str:
        rows = sum(self.rows.values())
        return (
            f"{rows:,} rows in {sum(map(bool, self.rows.values()))} tables, {len(self.removed_files)} old files removed"
        )


def publish_release(con: duckdb.DuckDBPyConnection, night: Night) -> ReleaseReport:
    """Swap tonight's tables in for readers. An open reader keeps its night, a new one gets tonight's.

    GateStopped (release) when a check fails: readers keep the release before.
    """
    shelf = Shelf(night.published_folder, night.published_link)
    shelf.tidy()
    reconcile(con, shelf)
    if shelf.file(night.run_id).exists():
        raise GateStopped("release", f"night {night.run_id} is released already.", "start a new night.")
    release = next_release(con, shelf, night.run_id, night.as_of_date, f"night of {night.as_of_date}", "nightly")
    report("building the published file", 0.1)
    draft = shelf.draft(night.run_id)
    build_file(con, draft, release)
    report("checking the published file", 0.6)
    rows = _check(con, night, draft)
    put_on_shelf(con, shelf, release)
    removed = prune(shelf, night.publish.keep_releases)
    return ReleaseReport(run_id=night.run_id, file=shelf.file(night.run_id), rows=rows, removed_files=removed)


def _check(con: duckdb.DuckDBPyConnection, night: Night, draft: Path) -> dict[str, int]:
    """Rows per table of the file, as a reader finds it; its contracts' checks go into `ops.quality_checks`."""
    with open_read_only(draft) as published:
        results = [result for table in PUBLISHED_TABLES for result in check_table(published, table)]
        rows = {
            table.name: _number(published, f"select count(*) from predictions.{table.name}_latest")
            for table in PUBLISHED_TABLES
        }
    with transaction(con):
        record(con, night.run_id, results)
    complaints = [*_broken(results), *_missing(con, night, rows)]
    if complaints:
        draft.unlink()
        raise GateStopped(
            "release",
            f"tonight's file is not fit for readers: {'; '.join(complaints)}.",
            "see ops.quality_checks and ops.head_status in the warehouse; readers keep the release before.",
        )
    return rows


def _broken(results: list[Result]) -> list[str]:
    return [
        f"{result.table_name} breaks {result.rule} ({result.meaning}) in {result.rows_broken} rows"
        for result in results
        if not result.is_passed and result.severity == "critical"
    ]


def _missing(con: duckdb.DuckDBPyConnection, night: Night, rows: dict[str, int]) -> list[str]:
    """What the heads' status promises and the file does not hold, or the other way round."""
    served = {head: is_served(con, night, head) for head in TABLES_OF_HEADS}
    complaints = [] if any(served.values()) else ["no head is served, so that there is nothing to say"]
    for head, tables in TABLES_OF_HEADS.items():
        complaints += [
            f"{name} has {rows[name]} rows but the head {head} is {'' if served[head] else 'not '}served"
            for name in tables
            if bool(rows[name]) != served[head]
        ]
    if served["profile"]:
        known = _number(con, "select count(*) from features.users where cutoff_date = $1", [night.as_of_date])
        if rows["user_profiles"] < MINIMUM_COVERAGE * known:
            complaints.append(f"only {rows['user_profiles']} of {known} known users have a profile")
    return complaints


def _number(con: duckdb.DuckDBPyConnection, query: str, parameters: list[object] | None = None) -> int:
    found = con.execute(query, parameters).fetchone()
    return int(found[0]) if found else 0
