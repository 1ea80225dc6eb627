from __future__ import annotations

import shutil
from datetime import date
from pathlib import Path

import duckdb
import pytest

from tasks.gates import GateStopped
from tasks.ingest_feeds import ingest_feeds
from tasks.night import Night
from tasks.progress import listening
from warehouse.contracts import FEEDS


def _night(folder: Path, run_id: str = "night") -> Night:
    return Night(run_id=run_id, as_of_date=date(2024, 7, 19), source=f"files:{folder}", home=folder)


def _tables(con: duckdb.DuckDBPyConnection) -> dict[str, list[tuple]]:
    return {table.name: con.execute(f"select * from {table.qualified_name} order by all").fetchall() for table in FEEDS}


def test_the_same_night_twice_gives_the_same_tables(con: duckdb.DuckDBPyConnection, shop_folder: Path) -> None:
    heard: list[str] = []
    with listening(lambda message, done: heard.append(message)):
        first = ingest_feeds(con, _night(shop_folder))
    before = _tables(con)
    second = ingest_feeds(con, _night(shop_folder, "again"))
    assert before["order_lines"]
    assert first.rows_read == sum(len(rows) for rows in before.values())
    assert second.rows_read == 0
    assert before == _tables(con)
    assert "Ingest orders" in heard


def test_missing_essential_feeds_are_named(con: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    (tmp_path / "users.csv").write_text("user_id\nu\n")
    with pytest.raises(GateStopped, match="has no products, orders, order_lines") as caught:
        ingest_feeds(con, _night(tmp_path))
    assert caught.value.gate == "data"


def test_an_unreadable_feed_that_a_night_can_do_without_is_a_problem_not_the_end(
    con: duckdb.DuckDBPyConnection, shop_folder: Path, tmp_path: Path
) -> None:
    for file in shop_folder.iterdir():
        shutil.copy(file, tmp_path)
    (tmp_path / "suppliers.parquet").write_bytes(b"PAR1 and no more")
    report = ingest_feeds(con, _night(tmp_path))
    assert len(report.problems) == 1
    assert "suppliers.parquet" in report.problems[0]
    assert con.execute("select count(*) from raw.orders").fetchall()[0][0] > 0


def test_an_unreadable_essential_feed_stops_the_night(
    con: duckdb.DuckDBPyConnection, shop_folder: Path, tmp_path: Path
) -> None:
    for file in shop_folder.iterdir():
        shutil.copy(file, tmp_path)
    (tmp_path / "orders.parquet").unlink()
    (tmp_path / "orders.parquet").write_bytes((shop_folder / "orders.parquet").read_bytes()[:-100])
    with pytest.raises(GateStopped, match=r"orders\.parquet"):
        ingest_feeds(con, _night(tmp_path))
    assert con.execute("select count(*) from raw.orders").fetchall() == [(0,)]
