"""One trial: kill a process in a home, look at what readers have, run again, and compare with an undisturbed twin."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count, takewhile
from pathlib import Path

from chaos import verdicts, victims
from chaos.deaths import AtChange, Death
from chaos.stages import Stage, copy_home

_SECONDS_BETWEEN_LOOKS = 0.2


@dataclass(frozen=True, kw_only=True)
class Trial:
    """What came of deaths one after the other: `kills` is how many found the process still at work, `said` what the
    last run told of what it found and cleared, `faults` the broken promises; none is what we want."""

    stage: str
    deaths: str
    kills: int
    said: str
    faults: tuple[str, ...]
    seconds: float


def play(stage: Stage, home: Path, *deaths: Death) -> Trial:
    """Kill the stage's process in a copy of its home, and what is run after it, until nobody is killed any more; then
    see whether anybody could tell."""
    copy_home(stage.before, home)
    link = home / "published.duckdb"
    with Witness(link) as witness:
        killed = []
        for death in deaths:
            killed.append(victims.run(stage.act, home, *stage.arguments, death=death))
            witness.look()
        again = victims.run(stage.act, home, *stage.arguments)
    faults = witness.faults
    if again.code:
        faults.append(f"ended with {again.code} when run again: {again.said[-500:]}")
    else:
        faults += verdicts.differences("published", stage.published, verdicts.published(link))
        faults += verdicts.differences("loaded", stage.loaded, verdicts.loaded(home))
        faults += [f"left behind: {name}" for name in verdicts.leftovers(home)]
    shutil.rmtree(home)
    return Trial(
        stage=stage.name,
        deaths=", then ".join(map(str, deaths)),
        kills=sum(ended.is_killed for ended in killed),
        said="; ".join(line for line in again.said.splitlines() if line.startswith("note:")),
        faults=tuple(dict.fromkeys(faults)),
        seconds=sum(ended.seconds for ended in (*killed, again)),
    )


def at_every_change(stage: Stage, home: Path, step: str = "") -> Iterator[Trial]:
    """A trial for each change of a name below the home that the process makes from that step on."""
    trials = (play(stage, home, AtChange(number, step)) for number in count(1))
    return takewhile(lambda trial: trial.kills > 0, trials)


class Witness(threading.Thread):
    """Somebody who opens the published file all the time, as a context manager; `faults` are what was wrong with it."""

    def __init__(self, link: Path) -> None:
        super().__init__(daemon=True)
        self.link, self.faults = link, list[str]()
        # Connections of one process to one file share their settings, and each locks them.
        self._is_over, self._one_at_a_time = threading.Event(), threading.Lock()

    def __enter__(self) -> Witness:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._is_over.set()
        self.join()

    def run(self) -> None:
        while not self._is_over.wait(_SECONDS_BETWEEN_LOOKS):
            self.look()

    def look(self) -> None:
        """Open the file now."""
        with self._one_at_a_time:
            fault = verdicts.one_whole_night(self.link)
        self.faults += [fault] if fault else []
