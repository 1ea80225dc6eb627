"""Validation of the real data set against its floor: the same predicates in one plain SQL pass per table.

python benchmarks/bench_validation.py [WAREHOUSE.duckdb]

Works on a copy. Without a warehouse the feeds are loaded first, which takes a minute. The first night is all of
`validate_feeds`: Great Expectations, the scan that finds broken rows, the diary and Data Docs. Importing Great
Expectations, once a process, is shown apart. Best of three, in CPU seconds of the whole process: wall time on a shared
machine measures the neighbours.
"""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import duckdb

from tasks.ingest_feeds import ingest_feeds
from tasks.night import Night
from tasks.validate_feeds import validate_feeds
from warehouse.connect import open_warehouse
from warehouse.contracts import FEEDS
from warehouse.migrate import migrate
from warehouse.validation.rules_sql import check_table

TIME_ZONE = "America/New_York"
REPEATS = 3


@dataclass(frozen=True)
class Cost:
    cpu_seconds: float
    wall_seconds: float


def measure(work: Callable[[], object], repeats: int = 1) -> Cost:
    costs = []
    for _ in range(repeats):
        cpu, wall = time.process_time(), time.perf_counter()
        work()
        costs.append(Cost(time.process_time() - cpu, time.perf_counter() - wall))
    return min(costs, key=lambda cost: cost.cpu_seconds)


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        if len(sys.argv) > 1:
            shutil.copy(sys.argv[1], home / "warehouse.duckdb")
        with open_warehouse(home / "warehouse.duckdb", time_zone=TIME_ZONE) as con:
            migrate(con)
            if len(sys.argv) == 1:
                ingest_feeds(con, night(home, 0))
            compare(con, home)


def compare(con: duckdb.DuckDBPyConnection, home: Path) -> None:
    present = [feed for feed in FEEDS if con.execute(f"from {feed.qualified_name} limit 1").fetchall()]
    rows = sum(con.execute(f"select count(*) from {feed.qualified_name}").fetchall()[0][0] for feed in present)
    costs = {"import Great Expectations": measure(import_great_expectations)}
    # A night that runs again judges the same rows again, so each repeat is a first night.
    costs["first night"] = measure(lambda: validate_feeds(con, night(home, 0)), REPEATS)
    costs["floor"] = measure(lambda: [check_table(con, feed) for feed in present], REPEATS)
    costs["night with nothing new"] = measure(lambda: validate_feeds(con, night(home, 1)), REPEATS)

    ratio = costs["first night"].cpu_seconds / costs["floor"].cpu_seconds
    print(f"{len(present)} feeds, {rows:,} rows, {sum(len(feed.all_rules) for feed in present)} rules\n")
    print(f"{'':28}{'CPU s':>8}{'wall s':>8}")
    for name, cost in costs.items():
        print(f"{name:28}{cost.cpu_seconds:8.2f}{cost.wall_seconds:8.2f}")
    print(f"\nfirst night / floor: {ratio:.2f} (target: at most 3)")
    figures = {
        name.lower().replace(" ", "_") + "_cpu_seconds": round(cost.cpu_seconds, 2) for name, cost in costs.items()
    }
    print(json.dumps({"benchmark": "validation", "rows": rows, "ratio": round(ratio, 2), "target": 3.0, **figures}))


def night(home: Path, number: int) -> Night:
    return Night(
        run_id=f"night-{number}",
        as_of_date=date(2017, 12, 4 + number),
        source="completejourney",
        home=home,
        time_zone=TIME_ZONE,
    )


def import_great_expectations() -> None:
    import warehouse.validation.suite  # noqa: F401


if __name__ == "__main__":
    main()
