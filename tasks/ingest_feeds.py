"""Load what is new of every feed, and let erased users go."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass

import duckdb

from tasks.balance_rows import balance_rows
from tasks.forget_users import forget_users
from tasks.gates import bad_feed
from tasks.night import Night
from tasks.progress import report
from tasks.pseudonyms import use_pseudonyms
from warehouse.balance import Balance
from warehouse.contracts import FEEDS
from warehouse.erasure import erase_users
from warehouse.ingest import FeedLoad, load_feed
from warehouse.sources import FeedError, open_source


@dataclass(frozen=True, kw_only=True)
class IngestReport:
    """What was loaded: one `FeedLoad` per feed that the source has.

    `balance` says where the rows of tonight's inputs are now. `problems` are the errors of feeds that a night can do
    without; such a feed keeps what it had. `erased_users` counts the users who are gone since this night, `forgotten`
    says from which files.
    """

    feeds: tuple[FeedLoad, ...]
    balance: Balance
    problems: tuple[str, ...] = ()
    erased_users: int = 0
    forgotten: tuple[str, ...] = ()

    @property
    def rows_read(self) -> int:
        """Rows of all new inputs."""
        return sum(load.rows_read for load in self.feeds)

    def __str__(self) -> str:
        inputs = sum(load.inputs_loaded for load in self.feeds)
        words = [f"{self.balance}; {inputs:,} new inputs of {len(self.feeds)} feeds"]
        words += [
            f"{load.feed} has unknown {', '.join(load.unknown_columns)}" for load in self.feeds if load.unknown_columns
        ]
        words += [f"{self.erased_users} users erased"] if self.erased_users else []
        return "; ".join([*words, *self.forgotten, *self.problems])


def ingest_feeds(con: duckdb.DuckDBPyConnection, night: Night) -> IngestReport:
    """Bring schema `raw` up to date with the night's source; each feed is loaded whole, or stays as it was.

    `GateStopped` when a feed that a night cannot do without is missing or cannot be read, and when rows were lost.
    """
    use_pseudonyms(con, night)
    loads: list[FeedLoad] = []
    problems: list[str] = []
    try:
        with closing(open_source(night.source, night.as_of_date, night.home, night.source_options)) as source:
            source.most_bytes = int(night.validation.unpacked_gigabytes * 1e9)
            source.prepare(report)
            for number, table in enumerate(FEEDS):
                report(f"Ingest {table.name}", number / len(FEEDS))
                try:
                    loads.append(load_feed(con, source, table, night.run_id))
                except FeedError as error:
                    if table.essential:
                        raise
                    problems.append(str(error))
        _require_essential(con, night.source)
    except FeedError as error:
        raise bad_feed(error) from error
    erased = erase_users(con, night.run_id)
    forgotten = tuple(forget_users(con, night))
    balance = balance_rows(con, night)
    report("Ingest done", 1.0)
    present = tuple(load for load in loads if load.inputs_seen)
    return IngestReport(
        feeds=present, balance=balance, problems=tuple(problems), erased_users=erased, forgotten=forgotten
    )


def _require_essential(con: duckdb.DuckDBPyConnection, source: str) -> None:
    """FeedError that names every essential feed of which nothing was ever loaded."""
    loaded = {row[0] for row in con.execute("select distinct feed from ops.loads").fetchall()}
    missing = [table.name for table in FEEDS if table.essential and table.name not in loaded]
    if missing:
        raise FeedError(
            f"{source} has no {', '.join(missing)}, without which no night is possible.",
            feed=missing[0],
            remedy=f"deliver {', '.join(missing)}; `fivefold feeds describe NAME` lists the columns of a feed.",
        )
