"""The closed loop: what a night decides rules the demo shop's next day, and the shop's day is the next night's feed.

Every policy lives in a home of its own, forked from one history, and meets the same luck: two shops that decide alike
live alike, so whatever differs between them is what the decisions did. A simulation that was killed goes on after the
last day that each shop completed, and ends as if nothing had happened.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial
from pathlib import Path

from flows.console import err
from flows.settings import Settings
from flows.simulate_compare import Comparison, compare
from flows.simulate_decisions import published_decisions
from flows.tonight import prefect_at_hand, run_night
from warehouse import lock
from warehouse.sources.demo_shop.decisions import Decisions
from warehouse.sources.demo_shop.life import Life
from warehouse.sources.demo_shop.oracle import hold, oracle
from warehouse.sources.demo_shop.spec import ShopSpec
from warehouse.sources.demo_shop.world import World
from warehouse.whole_text import write_text_whole

Policy = Callable[[World], Decisions | None]
# What decides without a night: the shop's own habits, nobody, and somebody who knows the truth.
WITHOUT_NIGHTS: dict[str, Policy] = {"rules": lambda world: None, "hold": hold, "oracle": oracle}
# Says what goes on; what only passes by is told to those who watch.
Say = Callable[[str, bool], None]


class NightFailed(RuntimeError):  # noqa: N818 - named after what is the case
    """A night of the simulation ended with an error; the message names the night and what it said."""


class MixedSettings(ValueError):  # noqa: N818 - named after what is the case
    """Half of a simulation under these settings and half under others would say nothing about either."""


@dataclass(frozen=True, kw_only=True)
class Simulation:
    """`nights` of the shop after its history, each followed by the day that it decides. Everything lies in `folder`."""

    settings: Settings
    spec: ShopSpec
    nights: int

    @property
    def folder(self) -> Path:
        """The simulations of this shop."""
        return self.settings.home.resolve() / "simulations" / self.spec.name

    @property
    def first_day(self) -> date:
        """The first day that is decided."""
        return self.spec.size.as_of_date

    @property
    def end(self) -> date:
        """The day after the last that is decided."""
        return self.first_day + timedelta(days=self.nights)


def run_simulation(simulation: Simulation, policies: Sequence[str], *, is_quiet: bool = False) -> Comparison:
    """Live the nights under each policy, oldest first, and compare how the shops fared.

    `warehouse.lock.WarehouseBusy` while another simulates this shop; NightFailed when a night ends with an error;
    MixedSettings when earlier nights were run under other settings.
    """
    with lock.writing(simulation.folder, "simulation"), _status(is_quiet) as say:
        history = simulation.folder / "history"
        _live_history(simulation, history, say)
        for policy in policies:
            home = simulation.folder / policy
            _fork(simulation, history, home)
            _live_under(simulation, policy, home, say)
    return compare(simulation.folder, simulation.spec, policies, simulation.first_day, simulation.end)


def _live_history(simulation: Simulation, home: Path, say: Say) -> None:
    life = Life(simulation.spec, home)
    if life.world.today < simulation.first_day:
        say(f"the demo shop lives its history until {simulation.first_day}", False)
        life.live_until(simulation.first_day, lambda message, done: say(f"{message} ({done or 0:.0%})", True))


def _fork(simulation: Simulation, history: Path, home: Path) -> None:
    """A home with a copy of the history; complete from the moment that it is there. What is left of a home that
    somebody removed while it was written to, a shop without a history, gives way."""
    if not Life.is_begun(simulation.spec, home):
        shutil.rmtree(home, ignore_errors=True)
        aside = home.with_name(f".{home.name}")
        shutil.rmtree(aside, ignore_errors=True)
        shutil.copytree(history, aside)
        aside.rename(home)


def _live_under(simulation: Simulation, policy: str, home: Path, say: Say) -> None:
    life = Life(simulation.spec, home)
    if life.world.today >= simulation.end:
        return
    with _decider(simulation, policy, home) as decide:
        while life.world.today < simulation.end:
            night = (life.world.today - simulation.first_day).days + 1
            say(f"{policy}: night {night} of {simulation.nights}, as of {life.world.today}", False)
            life.live(decide(life.world))
            life.save()


@contextmanager
def _decider(simulation: Simulation, policy: str, home: Path) -> Iterator[Policy]:
    """What decides each day; for `joint` with all that a night needs at hand."""
    if policy != "joint":
        yield WITHOUT_NIGHTS[policy]
        return
    settings = simulation.settings.model_copy(
        update={
            "home": home,
            "source": f"demo_shop:{simulation.spec.location}",
            # Pages about checks that nobody opens would take seconds of every night.
            "validation": simulation.settings.validation.model_copy(update={"build_data_docs": False}),
        }
    )
    _require_same_settings(settings)
    with prefect_at_hand(settings):
        yield partial(_decide_by_night, settings)


def _require_same_settings(settings: Settings) -> None:
    """Keep the settings of the first night beside the shop; MixedSettings when the next ones would be others."""
    kept = settings.home / "settings.json"
    now = settings.model_dump_json(exclude={"home", "threads", "memory_limit", "schedule"})
    if not kept.exists():
        write_text_whole(now, kept)
    elif kept.read_text(encoding="utf-8") != now:
        raise MixedSettings(
            f"the nights in {settings.home} were run under other settings. Remedy: simulate under those again, in "
            "another --home, or delete that folder to begin anew."
        )


def _decide_by_night(settings: Settings, world: World) -> Decisions | None:
    """Run the night before today and take over what it published. Where a gate stops the night, the shop goes by its
    own habits; the comparison counts such days."""
    outcome = run_night(settings, world.today, is_quiet=True)
    if outcome.status == "failed":
        raise NightFailed(f"the night of {world.today} in {settings.home} failed: {outcome.message}")
    words = json.dumps({"status": outcome.status, "message": outcome.message})
    write_text_whole(words, settings.home / "nights" / f"{world.today}.json")
    return None if outcome.status == "stopped" else published_decisions(settings.home / "published.duckdb", world)


@contextmanager
def _status(is_quiet: bool) -> Iterator[Say]:
    """Say what goes on, on a line that moves, or on lines where nobody watches."""
    if is_quiet:
        yield lambda message, is_passing: None
    elif err.is_terminal:
        with err.status("starting") as status:
            yield lambda message, is_passing: status.update(message)
    else:
        yield lambda message, is_passing: None if is_passing else err.print(message, markup=False)
