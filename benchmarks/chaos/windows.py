"""Publishing and going back as a night does them, but with tables from a table: the windows of a rename in a second.

Everything around is the night's own: the lock, the clearing of what a killed one left, the diary, the shelf.
"""

from __future__ import annotations

import time
from datetime import date, timedelta
from pathlib import Path

from bench_publish import ROWS, fill

from flows.console import ConsoleWatcher
from flows.settings import load_settings
from flows.work import at_work
from tasks.publish_release import publish_release
from warehouse.connect import open_warehouse
from warehouse.contracts import PUBLISHED_TABLES
from warehouse.migrate import migrate

_FIRST_DAY = date(2024, 7, 1)
# A hundredth of a real night: what is tried is the order of things, not their size.
_SHARE = 100
_HEADS = ("profile", "recommendation", "pricing", "supply")


def prepare(home: Path) -> None:
    """A home with a shop and a night that only has to be published."""
    (home / "feeds").mkdir(parents=True)
    with open_warehouse(home / "warehouse.duckdb", threads=1) as con:
        migrate(con)
        con.execute("set variable run_id = 'none'")
        for table in PUBLISHED_TABLES:
            fill(con, table, ROWS.get(table.name, 0) // _SHARE)
        con.execute("create schema features")
        con.execute("create table features.users (user_id VARCHAR, cutoff_date DATE)")
        con.execute("insert into features.users (user_id) select user_id from predictions.user_profiles")


def publish(home: Path, number: int) -> float:
    """Publish the night of the `number`-th day, which says so in each of its recommendations; the seconds it took."""
    day = _FIRST_DAY + timedelta(days=number)
    settings = load_settings(home=home, source=f"files:{home / 'feeds'}", threads=1)
    with at_work(settings, day, ["publish_release"], [ConsoleWatcher()]) as work:
        con, run_id = work.con, work.night.run_id
        for table in PUBLISHED_TABLES:
            con.execute(f"update {table.qualified_name} set run_id = $1", [run_id])
        con.execute("update predictions.product_recommendations set score = $1", [number])
        con.execute("update features.users set cutoff_date = $1", [day])
        con.execute(
            """insert into ops.head_status by name
            select unnest($1) as head, 'released' as status, 'chaos' as reason, $2 as run_id""",
            [list(_HEADS), run_id],
        )
        clock = time.perf_counter()
        publish_release(con, work.night)
        return time.perf_counter() - clock


def publish_quietly(home: Path, number: int) -> int:
    """The same, as a process that may be killed: its exit code."""
    publish(home, number)
    return 0
