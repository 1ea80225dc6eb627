"""What may become of a hostile file, and how to find out: ingest and validation, without Great Expectations."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import duckdb

from warehouse.balance import take_balance
from warehouse.contracts import feed
from warehouse.ingest import load_feed
from warehouse.sources import FeedError, open_source
from warehouse.validation.quarantine import set_aside
from warehouse.validation.results import Result, result_of
from warehouse.validation.rules_sql import count_broken, fetch_row
from warehouse.validation.scope import Scope
from warehouse.validation.verdict import judge

# What the warehouse knows before a hostile file comes.
KNOWN = [feed(name) for name in ("sites", "users", "products", "orders")]


@dataclass(frozen=True)
class Case:
    """`content` is written under the name `file`, or `prepare` is called with the folder. What must follow:

    `words`: one error that has them all; else `loaded` rows are in the feed, `aside` counts those that were set aside
    by rule, `warned` rules were broken by rows that stay, and `stopped` rules forbid to go on.
    """

    name: str
    file: str
    content: str | bytes | None = None
    prepare: Callable[[Path], object] | None = None
    feed: str = "order_lines"
    words: tuple[str, ...] = ()
    loaded: int = 0
    aside: dict[str, int] = field(default_factory=dict)
    warned: tuple[str, ...] = ()
    stopped: tuple[str, ...] = ()

    def write(self, folder: Path) -> None:
        """Land the hostile file, alone."""
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        if self.content is not None:
            target = folder / self.file
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(self.content.encode() if isinstance(self.content, str) else self.content)
        if self.prepare:
            self.prepare(folder)


@dataclass(frozen=True)
class Found:
    """What became of it."""

    loaded: int
    aside: dict[str, int]
    failed: dict[str, Result]
    rows_read: int


class BySql:
    """Checks by SQL what a night checks by Great Expectations; a test of the validation holds both to be equal."""

    def __init__(self, con: duckdb.DuckDBPyConnection) -> None:
        self.con = con

    def check(self, scope: Scope) -> list[Result]:
        rules = scope.table.all_rules
        whole = scope.table.qualified_name
        counts = ", ".join(f"({count_broken(rule, scope.relation_of(rule), whole)})" for rule in rules)
        return [
            result_of(scope.table.name, rule, scope.rows_checked(rule), count)
            for rule, count in zip(rules, fetch_row(self.con, f"select {counts}"), strict=True)
        ]


def ingest_and_validate(
    con: duckdb.DuckDBPyConnection, folder: Path, name: str = "order_lines", most_bytes: int | None = None
) -> Found:
    """Load the feed, check it and set aside what breaks a rule; the rows have to add up."""
    table = feed(name)
    source = open_source(f"files:{folder}")
    source.most_bytes = most_bytes or source.most_bytes
    load = load_feed(con, source, table, "night")
    verdict = judge(con, BySql(con), table)
    if verdict.broken and not verdict.objections:
        set_aside(con, "night", verdict.broken, 1000)
    balance = take_balance(con, "night", {table, *KNOWN})
    assert (
        balance.rows_read == load.rows_read == balance.rows_in_feed + balance.rows_quarantined + balance.rows_replaced
    )
    aside = con.execute(
        "select broken_rules, count(*) from ops.quarantined_rows where table_name = $1 group by all", [name]
    ).fetchall()
    failed = {result.rule: result for result in verdict.results if not result.is_passed}
    return Found(balance.rows_in_feed, dict(aside), failed, load.rows_read)


def differences(con: duckdb.DuckDBPyConnection, folder: Path, case: Case) -> list[str]:
    """What became of the case otherwise than it says; nothing is what we want."""
    try:
        found = ingest_and_validate(con, folder, case.feed)
    except FeedError as error:
        wrong = [f"{word!r} is not in {error}" for word in case.words if word not in str(error)]
        wrong += ["no feed, file or remedy is named"] * (not (error.feed == case.feed and error.file and error.remedy))
        return wrong + [str(error)] * (not case.words)
    if case.words:
        return [f"it was read: {found}"]
    broken = {rule for rule, result in found.failed.items() if result.scope == "row"}
    shown = {
        "loaded": (found.loaded, case.loaded),
        "aside": (found.aside, case.aside),
        "warned": (broken - set(",".join(case.aside).split(",")), set(case.warned)),
        "stopped": ({rule for rule, result in found.failed.items() if result.scope == "table"}, set(case.stopped)),
    }
    return [f"{what}: {seen}, not {wanted}" for what, (seen, wanted) in shown.items() if seen != wanted]


def forget(con: duckdb.DuckDBPyConnection, name: str) -> None:
    """The warehouse again as it was before the case."""
    mine = "(select load_id from ops.loads where run_id = 'night')"
    con.execute(f"delete from {feed(name).qualified_name} where _load_id in {mine}")
    con.execute("delete from ops.loads where run_id = 'night'")
    con.execute("delete from ops.quarantined_rows")
