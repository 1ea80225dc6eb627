"""One night in several ways that must not matter: the digests of its published tables, side by side.

Each way is a process of its own, in a home and a working directory of its own: with one thread of the database or two,
another seed of Python's hashes, and feeds that arrive at once, or cut into weeks that are loaded in three parts in a
random order, with the rows of each file shuffled. Then two nights, each day in a model of its own, filled in forwards
and backwards.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import duckdb
from bad_shops.damages import ENDING
from bad_shops.nights import AS_OF, QUICK, STEPS, open_shop, spend_night, write_feeds

from flows.settings import load_settings
from flows.work import at_work
from tasks.ingest_feeds import ingest_feeds
from warehouse.digest import digest_file

PARTS = 3
# The same for all: sums over rows are cut by the model's threads, and so rounded otherwise.
MODEL_THREADS = "2"


@dataclass(frozen=True)
class Way:
    """How a night is spent: threads of the database, the seed of hashes, how the feeds arrive."""

    threads: int
    hash_seed: int
    arrives_in_parts: bool


WAYS = {
    "at once, one thread of the database": Way(1, 1, arrives_in_parts=False),
    "at once, two threads, another hash seed": Way(2, 777, arrives_in_parts=False),
    "in parts, out of order, two threads": Way(2, 5, arrives_in_parts=True),
}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--way", choices=WAYS, help=argparse.SUPPRESS)
    parser.add_argument("--shop", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.way:
        spend(WAYS[given.way], given.shop)
        return 0
    with tempfile.TemporaryDirectory(prefix="fivefold-same-night-") as temporary:
        shop = open_shop(Path(temporary) / "shop")
        digests = {name: run(name, way, shop, Path(temporary) / f"{number}") for number, (name, way) in
                   enumerate(WAYS.items())}  # fmt: skip
        differing_days = either_order(shop, Path(temporary) / "order")
    first = next(iter(digests.values()))
    for name, found in digests.items():
        differing = [table for table in found if found[table] != first[table]]
        print(f"{name:<44} {'differs in ' + ', '.join(differing) if differing else f'{len(found)} tables equal'}")
    print(json.dumps(digests))
    return int(any(found != first for found in digests.values()) or bool(differing_days))


def either_order(shop: Path, folder: Path) -> list[str]:
    """Tables, by day, that hang on which of two days was filled in first."""
    feeds = write_feeds(shop, folder / "feeds", "")
    days = (AS_OF - timedelta(days=7), AS_OF)
    found = []
    for number, order in enumerate((days, days[::-1])):
        home = folder / f"{number}"
        for day in order:
            spend_night(home, feeds, day, model=QUICK["model"] | {"warm_start": False})
        found.append({file.name[:8]: digest_file(file) for file in sorted((home / "published").glob("*.duckdb"))})
    forwards, backwards = found
    differing = [
        f"{day} {table}" for day in forwards for table in forwards[day] if forwards[day][table] != backwards[day][table]
    ]
    print(f"{'two days, forwards and backwards':<44} {', '.join(differing) or 'every table of both equal'}")
    return differing


def run(name: str, way: Way, shop: Path, folder: Path) -> dict[str, str]:
    """{table: digest} of the night spent that way, in a process of its own."""
    folder.mkdir()
    here = Path(__file__).parent
    subprocess.run(
        [sys.executable, str(here / "bench_same_night.py"), "--way", name, "--shop", str(shop)],
        cwd=folder,
        env={
            **os.environ,
            "PYTHONPATH": os.pathsep.join((str(here.parent), str(here))),
            "PYTHONHASHSEED": str(way.hash_seed),
            "OMP_NUM_THREADS": MODEL_THREADS,
        },
        check=True,
    )
    return digest_file(folder / "home" / "published.duckdb")


def spend(way: Way, shop: Path) -> None:
    """The night, in the working directory."""
    home, feeds = Path("home").resolve(), Path("feeds").resolve()
    write_feeds(shop, feeds, "")
    if way.arrives_in_parts:
        arrive_in_parts(feeds, home)
    ending = spend_night(home, feeds, threads=way.threads)
    if ending.status != "released":
        sys.exit(ending.said)


def arrive_in_parts(feeds: Path, home: Path) -> None:
    """Cut the feeds that have moments into a file a week with its rows shuffled, and load them in parts, the last of
    which is left to the night."""
    luck = random.Random(1)
    weeks = [week for feed, moment in ENDING.items() for week in cut(feeds, feed, moment)]
    luck.shuffle(weeks)
    aside = feeds.with_name("later")
    for week in weeks:
        (aside / week).parent.mkdir(parents=True, exist_ok=True)
        shutil.move(feeds / week, aside / week)
    settings = load_settings(home=home, source=f"files:{feeds}", **QUICK)
    for part in range(PARTS):
        for week in weeks[part::PARTS]:
            (aside / week).rename(feeds / week)
        if part < PARTS - 1:
            with at_work(settings, AS_OF, [step.__name__ for step in STEPS], ()) as work:
                ingest_feeds(work.con, work.night)


def cut(feeds: Path, feed: str, moment: str) -> list[Path]:
    """The feed's file as a folder with a file a week; their paths within `feeds`."""
    whole, folder = feeds / f"{feed}.parquet", feeds / feed
    folder.mkdir()
    week = f"cast(date_trunc('week', {moment}) as date)"
    with duckdb.connect() as con:
        con.execute(f"create table rows as from '{whole}'")
        starts = [start for (start,) in con.execute(f"select distinct {week} from rows order by all").fetchall()]
        for start in starts:
            rows = f"select * from rows where {week} = date '{start}' order by hash(rowid)"
            con.execute(f"copy ({rows}) to '{folder / str(start)}.parquet'")
    whole.unlink()
    return [Path(feed) / f"{start}.parquet" for start in starts]


if __name__ == "__main__":
    sys.exit(main())
