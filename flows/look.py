"""Reading what nights left behind, without ever disturbing one."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb

from warehouse import lock, morning
from warehouse.connect import open_read_only
from warehouse.scenario_file import scenario_file


class NothingPublished(LookupError):  # noqa: N818 - named after what is the case
    """There is no published file yet."""


@dataclass(frozen=True, kw_only=True)
class Morning:
    """What `fivefold status` tells. `writer` is who is at work now; then everything else is of before that."""

    writer: str | None = None
    release: dict[str, Any] | None = None
    nights: list[dict[str, Any]] = field(default_factory=list)
    heads: list[dict[str, Any]] = field(default_factory=list)
    counts: dict[str, Any] = field(default_factory=dict)
    checks: list[dict[str, Any]] = field(default_factory=list)
    alerts: list[dict[str, Any]] = field(default_factory=list)
    feeds: list[dict[str, Any]] = field(default_factory=list)


def query_published(home: Path, query: str) -> tuple[list[str], list[tuple[Any, ...]]]:
    """Column names and rows of a query over the published file, and over scenarios that were asked.

    NothingPublished before the first night.
    """
    link = home / "published.duckdb"
    if not link.exists():
        raise NothingPublished(
            f"nothing is published in {home} yet. Remedy: fivefold run, or name another home with --home."
        )
    scenarios = scenario_file(home)
    with open_read_only(link, **({"scenarios": scenarios} if scenarios.exists() else {})) as con:
        cursor = con.execute(query)
        return [column[0] for column in cursor.description or ()], cursor.fetchall()


def published_file(home: Path, run_id: str | None = None) -> Path:
    """The published file of the night, by default the one that readers see; NothingPublished names what is kept."""
    file = home / "published" / f"{run_id}.duckdb" if run_id else home / "published.duckdb"
    if not file.exists():
        kept = ", ".join(sorted(path.stem for path in (home / "published").glob("*.duckdb"))) or "none"
        raise NothingPublished(
            f"the file of {f'night {run_id}' if run_id else 'a night'} is not in {home}; nights that are: {kept}. "
            "Remedy: name one of these, another home with --home, or fivefold run."
        )
    return file.resolve()


def look(home: Path) -> Morning:
    """The state of a home. The warehouse knows most, stopped nights too; while a night holds it, the published file
    speaks for the time before."""
    with lock.reading(home) as writer:
        for path in (home / "published.duckdb",) if writer else (home / "warehouse.duckdb", home / "published.duckdb"):
            if path.exists():
                with open_read_only(path) as con:
                    return _read(con, writer)
    return Morning(writer=str(writer) if writer else None)


def _read(con: duckdb.DuckDBPyConnection, writer: lock.Owner | None) -> Morning:
    release = morning.current_release(con)
    shown = release["run_id"] if release else ""
    nights = morning.last_nights(con)
    for night in nights:
        # The next night will write it down; whoever looks before should know it already.
        if night["status"] == "running" and writer is None:
            night["status"] = "crashed"
    # What went wrong last is more urgent than what the release looked like.
    newest = nights[0]["run_id"] if nights else ""
    return Morning(
        writer=str(writer) if writer else None,
        release=release,
        nights=nights,
        heads=morning.heads(con, shown),
        counts=morning.check_counts(con, newest),
        checks=morning.checks(con, newest),
        alerts=morning.alerts(con, shown),
        feeds=morning.freshness(con),
    )
