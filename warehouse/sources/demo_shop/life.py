"""The shop's life on disk: it lives a day, its systems write files, and the truth goes elsewhere."""

from __future__ import annotations

import shutil
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import date, timedelta
from pathlib import Path

from warehouse.sources.base import FeedError, Progress
from warehouse.sources.demo_shop import truth
from warehouse.sources.demo_shop.decisions import Decisions
from warehouse.sources.demo_shop.dirt import soil
from warehouse.sources.demo_shop.landing import land
from warehouse.sources.demo_shop.spec import ShopSpec
from warehouse.sources.demo_shop.state import FILE as STATE_FILE
from warehouse.sources.demo_shop.world import Day, World

# A killed life goes on from the last state that it saved, and writes the same bytes again.
_DAYS_BETWEEN_SAVES = 30


class Life:
    """A shop that lives in a home folder, from where its saved state left it."""

    def __init__(self, spec: ShopSpec, home: Path) -> None:
        self.spec, self.landing, self.truth = spec, spec.landing(home), spec.truth(home)
        self.world = self._wake() if self.is_begun(spec, home) else self._open()

    @staticmethod
    def is_begun(spec: ShopSpec, home: Path) -> bool:
        """Whether the shop has a life there to go on with; one that was killed before its first save begins anew."""
        return spec.landing(home).is_dir() and (_state(spec.truth(home)) / STATE_FILE).is_file()

    def live(self, decisions: Decisions | None = None) -> Day:
        """Live one day under the decisions, and write all that it brings; DecisionError, and nothing lived, when the
        shop cannot carry them out."""
        day = self.world.live(decisions)
        self._write(day)
        return day

    def live_until(self, as_of_date: date, progress: Progress) -> None:
        """Live every day before the as-of date under the shop's own habits; each is written while the next is
        lived."""
        first, days = self.world.today, (as_of_date - self.world.today).days
        with ThreadPoolExecutor(max_workers=1) as writer:
            writing: list[Future[None]] = []
            for number in range(days):
                progress(f"The demo shop lives {self.world.today}", number / days)
                day = self.world.live()
                _wait_for(writing)
                writing = [writer.submit(self._write, day)]
                if (self.world.today - first).days % _DAYS_BETWEEN_SAVES == 0:
                    _wait_for(writing)
                    self.save()
            _wait_for(writing)
        self.save()

    def _write(self, day: Day) -> None:
        """All files of the day; its ledger comes last."""
        soiled = soil(day.feeds, day.date, self.spec.dirt_ratio, self.spec.seed)
        land(self.landing, soiled.today, day.date)
        for landing_day, feeds in soiled.late.items():
            land(self.landing, feeds, landing_day, late_from=day.date)
        truth.write_day(self.truth, day, soiled.planted)

    def save(self) -> None:
        """Save the state from which the shop lives on, and what is true of its entities."""
        truth.write_entities(self.truth, self.world.truth())
        self.world.save(_state(self.truth))

    def _wake(self) -> World:
        try:
            return World.load(_state(self.truth))
        except (KeyError, TypeError, ValueError) as error:
            raise FeedError(
                f"The demo shop cannot live on from {_state(self.truth)}, which another version of it saved ({error}).",
                remedy=f"delete {self.landing} and {self.truth} to begin its history anew, or name another home.",
            ) from error

    def _open(self) -> World:
        """A new shop; what it has before its first day lands on the eve."""
        for folder in (self.landing, self.truth):
            shutil.rmtree(folder, ignore_errors=True)
        world = World.create(self.spec.size, self.spec.seed)
        land(self.landing, world.opening(), world.today - timedelta(days=1))
        return world


def _state(truth: Path) -> Path:
    return truth / "world"


def _wait_for(writing: list[Future[None]]) -> None:
    """Until all is written; what went wrong there is raised here."""
    for part in writing:
        part.result()
