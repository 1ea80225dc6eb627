"""PostgreSQL as a source and as a place to publish to, beside bare ADBC on the same server in the same run.

A million rows each way: reading is a feed into the warehouse, typed, judged and noted in the diary, beside `select *`
into Arrow; writing is a night's table with key and pointer, beside one COPY into a table without a key.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import duckdb
from bench_publish import fill

from tests.landing import empty_warehouse
from tests.postgres.server import find_programs, running_server
from tests.releases import new_release
from warehouse.connect import open_read_only, open_warehouse
from warehouse.contracts import PUBLISHED_TABLES, feed
from warehouse.contracts.ddl import create_all
from warehouse.ingest import load_feed
from warehouse.postgres.address import parse_address
from warehouse.postgres.publish import BATCH_ROWS, Target, show_release
from warehouse.postgres.release_tables import Schema
from warehouse.postgres.session import Session
from warehouse.release import Shelf
from warehouse.release_file import Release
from warehouse.sources import open_source

ROWS = 1_000_000
TABLE = next(table for table in PUBLISHED_TABLES if table.name == "product_recommendations")
# Names, types and a spread of values as shops have them.
LINES = f"""
create table order_lines with (autovacuum_enabled = false) as
select 'L' || i as order_line_id, 'O' || i / 3 as order_id, 'P' || i % 5000 as product_id,
    'S' || i % 10 as ship_from_site_id,
    (1 + i % 3)::double precision as quantity, (i % 1000 / 100.0)::numeric(12, 2) as sold_price,
    timestamptz '2024-01-01' + i * interval '20 seconds' as delivered_at,
    timestamptz '2024-01-01' + i * interval '20 seconds' as updated_at
from generate_series(1, {ROWS}) as i"""


def seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def read_bare(session: Session) -> None:
    with session.stream("select * from public.order_lines") as rows:
        assert sum(batch.num_rows for batch in rows) == ROWS


def read(address: str, con: duckdb.DuckDBPyConnection) -> None:
    source = open_source(f"postgres:{address}")
    assert load_feed(con, source, feed("order_lines"), "bench").rows_read == ROWS
    source.close()


def write_bare(session: Session, file: Path) -> None:
    session.run("create table public.bare (like predictions.product_recommendations)")
    with open_read_only(file) as published:
        rows = published.sql(f"from {TABLE.qualified_name}").to_arrow_reader(BATCH_ROWS)
        assert session.load("public", "bare", rows) == ROWS


def write(address: str, shelf: Shelf, releases: list[Release]) -> None:
    target = Target(address=parse_address(address), schema=Schema("predictions"))
    assert show_release(target, shelf, releases).rows_copied == ROWS


def publish_file(shelf: Shelf, run_id: str) -> list[Release]:
    shelf.tidy()
    with open_warehouse(shelf.file(run_id)) as con:
        create_all(con, PUBLISHED_TABLES)
        con.execute("set variable run_id = $1", [run_id])
        fill(con, TABLE, ROWS)
    return [new_release(1, run_id)]


def main() -> None:
    programs = find_programs()
    if programs is None:
        sys.exit("no PostgreSQL here. Remedy: apt-get install postgresql")
    with running_server(programs) as address, tempfile.TemporaryDirectory() as home:
        shelf = Shelf.of(Path(home))
        releases = publish_file(shelf, "20260704-bench")
        with (
            empty_warehouse(Path(home) / "warehouse.duckdb") as con,
            Session(parse_address(address), None) as session,
        ):
            session.run("set search_path = public")
            session.run(LINES)
            session.run("analyze public.order_lines")
            # Else the server cleans up after the line before while we measure.
            session.run("checkpoint")
            took = {
                "read_bare": seconds(lambda: read_bare(session)),
                "read": seconds(lambda: read(address, con)),
                "write": seconds(lambda: write(address, shelf, releases)),
                "write_bare": seconds(lambda: write_bare(session, shelf.file("20260704-bench"))),
            }
    rates = {name: round(ROWS / value) for name, value in took.items()}
    for way in ("read", "write"):
        share = rates[way] / rates[f"{way}_bare"]
        sys.stdout.write(f"{way:5} {rates[way]:>9,} rows/s, bare ADBC {rates[f'{way}_bare']:>9,} rows/s: {share:.0%}\n")
    sys.stdout.write(json.dumps({"benchmark": "postgres", "rows": ROWS, "rows_per_second": rates}) + "\n")


if __name__ == "__main__":
    main()
