"""Publishing against its floor: the same tables by bare CREATE TABLE AS into a new file.

Publishing also writes keys, comments, views and the diary, checks every rule of every contract on the finished file,
forces it to disk and swaps the link.
"""

from __future__ import annotations

import json
import tempfile
import time
from datetime import date
from pathlib import Path

import duckdb

from tasks.night import Night
from tasks.publish_release import publish_release
from warehouse.connect import open_warehouse
from warehouse.contracts import PUBLISHED_TABLES, Column, Table
from warehouse.contracts.table import literal, quote
from warehouse.migrate import migrate

# About what one night of The Complete Journey publishes.
ROWS = {
    "user_profiles": 2_500,
    "product_recommendations": 150_000,
    "price_recommendations": 37_000,
    "price_responses": 330_000,
    "promotion_recommendations": 10_000,
    "demand_forecasts": 150_000,
    "replenishment_recommendations": 37_000,
    "action_queue": 100,
}
REPEATS = 3


def value(column: Column, is_key: bool) -> str:
    """A SQL expression of `i` that keeps the column's contract."""
    if column.one_of:
        return f"{list(column.one_of)}[1 + i % {len(column.one_of)}]"
    if column.name == "run_id":
        return "getvariable('run_id')"
    if column.type == "VARCHAR":
        return f"'{column.name} ' || i" if is_key else f"'{column.name} ' || i % 1000"
    if column.type == "DATE":
        return "date '2017-12-04'"
    if column.type == "TIMESTAMP":
        return "timestamp '2017-12-04 02:00'"
    if column.type == "BOOLEAN":
        return "i % 2 = 0"
    if column.type.startswith("STRUCT"):
        return "[{'category': 'GROCERY', 'share': 0.5}]"
    if is_key and column.type == "BIGINT":
        return "1 + i"
    return "-1.5" if column.name.startswith("elasticity") else "1"


def fill(con: duckdb.DuckDBPyConnection, table: Table, rows: int) -> None:
    columns = ", ".join(
        f"{value(column, column.name in table.key)} as {quote(column.name)}" for column in table.columns
    )
    con.execute(f"delete from {table.qualified_name}")
    con.execute(f"insert into {table.qualified_name} by name select {columns} from range({rows}) as t(i)")


def floor(con: duckdb.DuckDBPyConnection, path: Path) -> float:
    started = time.perf_counter()
    con.execute(f"attach {literal(str(path))} as bare")
    con.execute("create schema bare.predictions")
    for table in PUBLISHED_TABLES:
        con.execute(f"create table bare.{table.qualified_name} as from {table.qualified_name}")
    con.execute("detach bare")
    return time.perf_counter() - started


def publish(con: duckdb.DuckDBPyConnection, home: Path, run_id: str) -> float:
    night = Night(run_id=run_id, as_of_date=date(2017, 12, 4), source="bench", home=home)
    con.execute("set variable run_id = $1", [run_id])
    for table in PUBLISHED_TABLES:
        con.execute(f"update {table.qualified_name} set run_id = $1", [run_id])
    con.execute("update ops.head_status set run_id = $1", [run_id])
    con.execute("checkpoint")
    started = time.perf_counter()
    publish_release(con, night)
    return time.perf_counter() - started


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        with open_warehouse(home / "warehouse.duckdb", threads=2) as con:
            migrate(con)
            for table in PUBLISHED_TABLES:
                fill(con, table, ROWS.get(table.name, 0))
            con.execute(
                """create schema features;
                create table features.users as
                select user_id, date '2017-12-04' as cutoff_date from predictions.user_profiles;
                insert into ops.head_status by name
                select unnest(['profile', 'recommendation', 'pricing', 'supply']) as head, 'released' as status,
                    'bench' as reason, 'none' as run_id"""
            )
            pairs = [(floor(con, home / f"bare-{n}.duckdb"), publish(con, home, f"night-{n}")) for n in range(REPEATS)]
    bare, published = (min(times) for times in zip(*pairs, strict=True))
    print(f"{'publishing':<34}{'seconds':>9}{'ratio':>8}")
    print(f"{'bare CREATE TABLE AS':<34}{bare:>9.2f}{1:>8.2f}")
    print(f"{'build, check, sync, swap, record':<34}{published:>9.2f}{published / bare:>8.2f}")
    print(
        json.dumps(
            {
                "benchmark": "publish",
                "rows": sum(ROWS.values()),
                "floor_seconds": round(bare, 3),
                "publish_seconds": round(published, 3),
                "ratio": round(published / bare, 2),
            }
        )
    )


if __name__ == "__main__":
    main()
