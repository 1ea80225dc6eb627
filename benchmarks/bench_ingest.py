"""Ingest of the real data set against bare CREATE TABLE AS on the same Parquet files, in alternating runs.

Bare: one table per file, columns as they are. Ours: contracts, keys, diary and mapping into a fresh warehouse. Both
write a database file and checkpoint it.
"""

from __future__ import annotations

import json
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path
from statistics import median

from tasks.ingest_feeds import ingest_feeds
from tasks.night import Night
from warehouse.connect import open_warehouse
from warehouse.migrate import migrate
from warehouse.sources import open_source
from warehouse.sources.completejourney import CompleteJourney

AS_OF = date(2018, 1, 1)
ROUNDS = int(sys.argv[1]) if len(sys.argv) > 1 else 3


def bare(folder: Path) -> float:
    source = open_source("completejourney")
    assert isinstance(source, CompleteJourney)
    files = sorted(source.folder.glob("*.parquet"))
    with open_warehouse(folder / "bare.duckdb") as con:
        started = time.perf_counter()
        for file in files:
            con.execute(f"create table \"{file.stem}\" as from read_parquet('{file}')")
        con.execute("checkpoint")
        return time.perf_counter() - started


def ours(folder: Path) -> float:
    night = Night(run_id="bench", as_of_date=AS_OF, source="completejourney", home=folder)
    with open_warehouse(night.warehouse_path) as con:
        migrate(con)
        started = time.perf_counter()
        ingest_feeds(con, night)
        con.execute("checkpoint")
        return time.perf_counter() - started


def again(folder: Path) -> float:
    """The same night once more, on the warehouse of `ours`: nothing is new."""
    night = Night(run_id="bench again", as_of_date=AS_OF, source="completejourney", home=folder)
    with open_warehouse(night.warehouse_path) as con:
        started = time.perf_counter()
        assert ingest_feeds(con, night).rows_read == 0
        return time.perf_counter() - started


def one_week_later(folder: Path) -> float:
    """A first night a week earlier, untimed, and then the last week of the year."""
    with tempfile.TemporaryDirectory(dir=folder) as home:
        nights = [
            Night(run_id=str(as_of), as_of_date=as_of, source="completejourney", home=Path(home))
            for as_of in (date(2017, 12, 25), AS_OF)
        ]
        with open_warehouse(nights[0].warehouse_path) as con:
            migrate(con)
            ingest_feeds(con, nights[0])
            started = time.perf_counter()
            ingest_feeds(con, nights[1])
            con.execute("checkpoint")
            return time.perf_counter() - started


def cpu(run: Callable[[Path], float], folder: Path) -> tuple[float, float]:
    """Wall seconds as the run measured them, and processor seconds of the whole call."""
    before = time.process_time()
    return run(folder), time.process_time() - before


def main() -> None:
    walls: dict[str, list[float]] = {"bare": [], "ours": [], "again": []}
    cpus: dict[str, list[float]] = {"bare": [], "ours": [], "again": []}
    for _ in range(ROUNDS):
        with tempfile.TemporaryDirectory() as home:
            for run in (bare, ours, again):
                wall, processor = cpu(run, Path(home))
                walls[run.__name__].append(wall)
                cpus[run.__name__].append(processor)
    with tempfile.TemporaryDirectory() as home:
        week = one_week_later(Path(home))
    print(f"{'run':<18}{'wall s (median)':>16}{'cpu s (median)':>16}   walls")
    for name, values in walls.items():
        listed = ", ".join(f"{value:.1f}" for value in values)
        print(f"{name:<18}{median(values):>16.2f}{median(cpus[name]):>16.2f}   {listed}")
    print(f"{'one week later':<18}{week:>16.2f}")
    figures = {
        "benchmark": "ingest",
        "rounds": ROUNDS,
        "bare_seconds": round(median(walls["bare"]), 2),
        "ingest_seconds": round(median(walls["ours"]), 2),
        "ratio": round(median(ours / bare for ours, bare in zip(walls["ours"], walls["bare"], strict=True)), 3),
        "target_ratio": 1.5,
        "cpu_ratio": round(median(cpus["ours"]) / median(cpus["bare"]), 3),
        "nothing_new_seconds": round(median(walls["again"]), 2),
        "one_week_later_seconds": round(week, 2),
        "peak_rss_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
