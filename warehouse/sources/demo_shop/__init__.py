"""A shop that runs by itself, with a known truth: `demo_shop[:SIZE[?seed=K&dirt_ratio=R&users=N&products=M]]`.

It lives day by day (`world`), each day under its own habits unless somebody decides (`decisions`). What its systems
write lands as files under the home folder, with a small dose of real-life dirt; the truth goes elsewhere, and only
those who judge what was learned may look at it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from functools import cached_property
from pathlib import Path

import duckdb

from warehouse.sources.base import FeedError, Input, Progress, Relation, Source
from warehouse.sources.demo_shop.landing import landed_on
from warehouse.sources.demo_shop.spec import ShopSpec
from warehouse.sources.demo_shop.truth import lived_until
from warehouse.sources.files import Files


class DemoShop(Source):
    """The demo shop of one size and seed. It lives until the as-of date the first time that a night asks for it."""

    time_zone = "Europe/Berlin"
    currency = "EUR"

    def __init__(self, location: str | None, as_of_date: date | None, home: Path | None = None) -> None:
        super().__init__(location, as_of_date, home)
        self.spec = ShopSpec.parse(location or "")

    def latest_as_of(self, time_zone: str | None = None) -> date:
        """The day after the last one of the shop's history, or after the last one that it has lived beyond."""
        lived = self._lived_until() if self.home else date.min
        return max(self.spec.size.as_of_date, lived)

    def prepare(self, progress: Progress) -> None:
        """Let the shop live every day before the as-of date that it has not lived yet."""
        as_of_date, opens_on = self.as_of_date or self.latest_as_of(), self.spec.size.first_day
        if as_of_date <= opens_on:
            raise FeedError(
                f"The demo shop opens on {opens_on}, so nothing is known on {as_of_date}.",
                remedy=f"name a later day with --as-of, such as {self.spec.size.as_of_date}.",
            )
        if self._lived_until() < as_of_date:
            # Most nights find every day lived, and need none of what living takes.
            from warehouse.sources.demo_shop.life import Life

            Life(self.spec, self._home).live_until(as_of_date, progress)

    def has_disjoint_inputs(self, feed: str) -> bool:
        """What has happened, and the stock at the end of a day, is told once; everything else may come again."""
        return feed in ("behaviour_events", "inventory_snapshots")

    def inputs(self, con: duckdb.DuckDBPyConnection, feed: str) -> list[Input]:
        """The files of the feed that landed before the as-of date."""
        before = self.as_of_date or date.max
        return [item for item in self._files.inputs(con, feed) if landed_on(item.name) < before]

    def relations(self, con: duckdb.DuckDBPyConnection, feed: str, inputs: Sequence[Input]) -> Iterable[Relation]:
        """One relation for all files of one shape."""
        return self._files.relations(con, feed, inputs)

    def _lived_until(self) -> date:
        """The first day that the shop has not lived yet; of a shop whose files are gone nothing is left."""
        landed = self.spec.landing(self._home).is_dir()
        return (landed and lived_until(self.spec.truth(self._home))) or date.min

    @property
    def _home(self) -> Path:
        if self.home is None:
            raise FeedError("The demo shop has no folder to live in.", remedy="name a home folder with --home.")
        return self.home

    @cached_property
    def _files(self) -> Files:
        return Files(str(self.spec.landing(self._home)), self.as_of_date)
