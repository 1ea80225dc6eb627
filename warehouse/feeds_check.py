"""Check a folder of feeds against the contracts before a first night: a rehearsal of the ingest, in memory."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

import duckdb

from warehouse.connect import open_memory
from warehouse.contracts import FEEDS, Rule, Table
from warehouse.contracts.table import Severity, quote
from warehouse.ingest import FeedLoad, load_feed
from warehouse.migrate import migrate
from warehouse.sources import FeedError, open_source

_RUN_ID = "check"

# What each head learns from; without one of these feeds it is published as not ready.
HEAD_FEEDS: dict[str, tuple[str, ...]] = {
    "profile": ("users", "orders", "order_lines"),
    "recommendation": ("users", "products", "orders", "order_lines"),
    "pricing": ("products", "orders", "order_lines"),
    "promotion": ("campaigns", "campaign_targets", "redemptions"),
    "supply": ("products", "orders", "order_lines"),
    "service": ("service_tickets",),
}


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing to know about the folder. critical: a night would stop; warning: data would be lost or doubtful."""

    feed: str
    severity: Severity
    message: str
    file: str = ""
    remedy: str = ""


def check_folder(path: str | Path) -> list[Finding]:
    """Everything that the folder would do to a first night: missing and unreadable feeds, unknown columns, values that
    do not parse, rows that break a rule, and which heads would be ready. FeedError when there is no such folder.
    """
    source = open_source(f"files:{path}")
    findings: list[Finding] = []
    with open_memory() as con:
        migrate(con)
        loaded: set[str] = set()
        for table in FEEDS:
            try:
                load = load_feed(con, source, table, _RUN_ID)
            except FeedError as error:
                severity: Severity = "critical" if table.essential else "warning"
                findings.append(
                    Finding(
                        feed=table.name,
                        severity=severity,
                        file=error.file or "",
                        message=str(error.problem),
                        remedy=error.remedy,
                    )
                )
                continue
            if load.inputs_seen:
                loaded.add(table.name)
            findings += _about_presence(table, load)
            findings += _about_parsing(con, table)
        for table in FEEDS:
            if table.name in loaded:
                findings += _about_rules(con, table)
    findings += _about_strangers(Path(path).expanduser())
    findings += _about_heads(loaded)
    return findings


def _about_presence(table: Table, load: FeedLoad) -> Iterator[Finding]:
    if not load.inputs_seen and table.essential:
        yield Finding(
            feed=table.name,
            severity="critical",
            message=f"the feed is missing, and without it no night is possible: {table.grain}",
            remedy=f"deliver {table.name}.csv, .parquet or .ndjson, or a folder {table.name}/ of such files.",
        )
    if load.inputs_seen:
        yield Finding(feed=table.name, severity="info", message=f"{load.rows_read} rows in {load.inputs_seen} files")
    for name in load.unknown_columns:
        near = get_close_matches(name.lower(), table.column_names, n=1)
        yield Finding(
            feed=table.name,
            severity="warning" if near else "info",
            message=f"column {name!r} is not in the contract and is not loaded",
            remedy=f"rename it to {near[0]!r} if that is meant." if near else "",
        )


def _about_parsing(con: duckdb.DuckDBPyConnection, table: Table) -> Iterator[Finding]:
    """One finding per file and rule of the rows that would be quarantined."""
    rows = con.execute(
        """
        select input_name, broken_rules, count(*), min_by(row_key, row_number)
        from ops.quarantined_rows
        where table_name = $1
        group by all
        order by all
        """,
        [table.name],
    ).fetchall()
    for file, rules, count, key in rows:
        yield Finding(
            feed=table.name,
            severity="warning",
            file=file,
            message=f"{count} rows break {rules}, such as the one with the key {key}; they would be quarantined",
            remedy="deliver these values as the types that the contract names.",
        )


def _about_rules(con: duckdb.DuckDBPyConnection, table: Table) -> Iterator[Finding]:
    for rule in table.all_rules:
        broken, example = _violations(con, table, rule)
        if broken:
            rows = "the table breaks" if rule.scope == "table" else f"{broken} rows break"
            yield Finding(
                feed=table.name,
                severity=rule.severity,
                message=f"{rows} {rule.name} ({rule.meaning})" + (f", such as {example}" if example else ""),
                remedy="correct the rows at their origin; a night sets critical ones aside up to a share of "
                f"{table.max_quarantined_ratio:.0%} of new rows (or {table.tolerated_rows}) and stops beyond it."
                if rule.severity == "critical"
                else "",
            )


def _violations(con: duckdb.DuckDBPyConnection, table: Table, rule: Rule) -> tuple[int, str | None]:
    """How many rows break the rule, and the key of one of them; 1 for a rule about the table as a whole."""
    if not set(rule.columns) <= set(table.column_names):
        return 0, None
    if rule.scope == "table":
        return int(bool(con.execute(f"select {rule.violation} from {table.qualified_name}").fetchall()[0][0])), None
    key = ", ".join(quote(name) for name in table.key)
    # The predicate may be a window expression, so it is worked out before rows are counted.
    broken, example = con.execute(
        f"""
        with judged as (select {key}, ({rule.violation}) as is_broken from {table.qualified_name})
        select count(*), any_value(concat_ws('/', {key}))
        from judged
        where is_broken
        """
    ).fetchall()[0]
    return int(broken), example


def _about_strangers(folder: Path) -> Iterator[Finding]:
    """Files and folders whose name is no feed."""
    feeds = [table.name for table in FEEDS]
    for entry in sorted(folder.iterdir()):
        name = entry.name.partition(".")[0]
        if name and not name.startswith("_") and name not in feeds:
            near = get_close_matches(name.lower(), feeds, n=1)
            yield Finding(
                feed="",
                severity="warning" if near else "info",
                file=entry.name,
                message="no feed has this name, so it is not read",
                remedy=f"rename it to {near[0]} if that is meant." if near else "",
            )


def _about_heads(loaded: set[str]) -> Iterator[Finding]:
    for head, feeds in HEAD_FEEDS.items():
        missing = [feed for feed in feeds if feed not in loaded]
        message = (
            f"head {head} has no {', '.join(missing)} and would not be ready" if missing else f"head {head} is fed"
        )
        yield Finding(feed="", severity="info", message=message)
