"""Readers that never pause while night after night is published: no error, no mixed night, no night held up."""

from __future__ import annotations

import os
import shutil
import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
from chaos import victims, windows
from chaos.verdicts import every_table

from warehouse.connect import open_read_only

# One query over every published table and the row that says which night is current.
_RUNS = f"""
    select run_id, count(*) from ({every_table("select run_id from {table}", "union all")}) group by run_id
    union all
    select run_id, -1 from ops.releases where is_current
"""
_QUERIES_A_CONNECTION = 5
_SETTLE_SECONDS = 0.5
_OVER = -1


@dataclass(frozen=True, kw_only=True)
class Readings:
    """What readers met: queries, errors, queries that saw more than one night or changed nights within a connection."""

    queries: int = 0
    errors: int = 0
    mixed: int = 0
    nights: frozenset[str] = frozenset()
    first_error: str = ""

    def __add__(self, other: Readings) -> Readings:
        return Readings(
            queries=self.queries + other.queries,
            errors=self.errors + other.errors,
            mixed=self.mixed + other.mixed,
            nights=self.nights | other.nights,
            first_error=self.first_error or other.first_error,
        )


@dataclass(frozen=True, kw_only=True)
class Contest:
    """Publishes with readers of the very file, and as many readers of another file for a fair comparison."""

    readers: int
    publishes: int
    readings: Readings
    seconds: float
    seconds_elsewhere: float

    @property
    def slower_by(self) -> float:
        """The share by which the median publish is slower than with readers elsewhere."""
        return self.seconds / self.seconds_elsewhere - 1


def contest(folder: Path, readers: int, publishes: int) -> Contest:
    """Publish so many nights under so many readers of their file, in turns with as many nights under the same readers
    of another file: what readers take of the processor burdens both alike."""
    home, elsewhere = folder / "home", folder / "elsewhere"
    windows.prepare(home)
    windows.publish(home, 0)
    shutil.copytree(home, elsewhere, symlinks=True)
    seconds: dict[bool, list[float]] = {True: [], False: []}
    with reading((elsewhere / "published.duckdb", home / "published.duckdb"), readers) as look:
        for number in range(1, 2 * publishes + 1):
            is_here = number % 2 == 1
            look.at(is_here)
            seconds[is_here].append(windows.publish(home, number))
    return Contest(
        readers=readers,
        publishes=publishes,
        readings=look.readings,
        seconds=statistics.median(seconds[True]),
        seconds_elsewhere=statistics.median(seconds[False]),
    )


class Look:
    """Where readers look, and what they met when all is over."""

    def __init__(self, where: Any) -> None:
        self.readings, self._where = Readings(), where

    def at(self, number: int) -> None:
        """Let every reader open that file from now on, and wait until each does."""
        self._where.value = number
        time.sleep(_SETTLE_SECONDS)


@contextmanager
def reading(links: tuple[Path, ...], readers: int) -> Iterator[Look]:
    """Within the block so many processes read one of the files without a pause."""
    context = victims.context()
    where, results = context.Value("i", 0), context.SimpleQueue()
    processes = [context.Process(target=_read, args=(links, where, results)) for _ in range(readers)]
    for process in processes:
        process.start()
    look = Look(where)
    try:
        yield look
    finally:
        where.value = _OVER
        look.readings = sum((results.get() for _ in processes), Readings())
        for process in processes:
            process.join()


def _read(links: tuple[Path, ...], where: Any, results: Any) -> None:
    # What is measured is who waits for whom, not how the machine shares its processors.
    os.nice(19)
    # The database draws a bar for each query that takes seconds.
    with Path(os.devnull).open("w") as nowhere:
        os.dup2(nowhere.fileno(), 1)
    found = Readings()
    while (number := where.value) != _OVER:
        found += _look_at(links[number])
    results.put(found)


def _look_at(link: Path) -> Readings:
    seen: list[set[str]] = []
    try:
        with open_read_only(link) as con:
            for _ in range(_QUERIES_A_CONNECTION):
                seen.append({run_id for run_id, _ in con.execute(_RUNS).fetchall()})
    except (duckdb.Error, OSError) as error:
        return Readings(queries=len(seen), errors=1, first_error=f"{type(error).__name__}: {error}")
    nights = frozenset().union(*seen)
    mixed = sum(len(runs) != 1 for runs in seen) or int(len(nights) != 1)
    return Readings(queries=len(seen), mixed=mixed, nights=nights)
