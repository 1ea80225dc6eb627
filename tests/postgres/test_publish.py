"""What readers in PostgreSQL see of releases."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from bench_publish import fill

from tests.postgres.conftest import connect
from tests.releases import new_release
from warehouse.connect import open_warehouse
from warehouse.contracts import PUBLISHED_TABLES
from warehouse.contracts.ddl import create_all
from warehouse.mirror import ForeignRuns
from warehouse.postgres import publish, release_tables
from warehouse.postgres.address import parse_address
from warehouse.postgres.publish import Shown, Target
from warehouse.postgres.release_tables import Schema
from warehouse.postgres.session import Refused, ServerLost, Session
from warehouse.release import Shelf
from warehouse.release_file import Release

ROWS = 20
ALL_ROWS = 2 * ROWS
PREDICTIONS = Schema("predictions")


class Home:
    """A shelf with published files of made-up rows, shown in the database."""

    def __init__(self, folder: Path, address: str, schema: Schema = PREDICTIONS) -> None:
        self.shelf = Shelf.of(folder)
        self.target = Target(address=parse_address(address), schema=schema)
        self.releases: list[Release] = []
        self.shelf.tidy()

    def release(self, run_id: str) -> Shown:
        with open_warehouse(self.shelf.file(run_id)) as con:
            create_all(con, publish.PUBLISHED_TABLES)
            con.execute("set variable run_id = $1", [run_id])
            for table in publish.PUBLISHED_TABLES:
                fill(con, table, ROWS)
        release = new_release(len(self.releases) + 1, run_id)
        return self.show([*self.releases, release], run_id)

    def show(self, releases: Sequence[Release], run_id: str) -> Shown:
        self.releases = [replace(release, is_current=release.run_id == run_id) for release in releases]
        return publish.show_release(self.target, self.shelf, self.releases)


@pytest.fixture
def two_tables(monkeypatch: pytest.MonkeyPatch) -> None:
    """All but one test look at what happens to two tables; eleven would only take longer."""
    for module in (publish, release_tables):
        monkeypatch.setattr(module, "PUBLISHED_TABLES", PUBLISHED_TABLES[:2])


@pytest.fixture
def home(tmp_path: Path, address: str, two_tables: None) -> Home:
    return Home(tmp_path, address)


def seen(session: Session) -> dict[str, int]:
    """{run: rows over the views}: one run, if readers see one."""
    every = " union all ".join(f"select run_id from predictions.{table.name}_latest" for table in PUBLISHED_TABLES[:2])
    return dict(session.run(f"select run_id, count(*) from ({every}) as rows group by run_id"))


def test_readers_see_the_newest_run_and_after_a_rollback_the_one_before(home: Home, database: Session) -> None:
    everything = ALL_ROWS
    assert home.release("20260704-a").rows_copied == everything
    assert seen(database) == {"20260704-a": everything}
    assert home.release("20260705-b").rows_copied == everything
    assert seen(database) == {"20260705-b": everything}
    back = home.show(home.releases, "20260704-a")
    assert (back.rows_copied, seen(database)) == (0, {"20260704-a": everything})
    again = home.show(home.releases, "20260704-a")
    assert (again.rows_copied, again.removed_runs) == (0, ())
    assert database.run("select run_id, is_current from predictions.releases order by 1") == [
        ("20260704-a", True),
        ("20260705-b", False),
    ]


def test_rows_of_every_table_arrive_as_they_were_published(tmp_path: Path, address: str, database: Session) -> None:
    shown = Home(tmp_path, address).release("20260704-a")
    assert shown.rows_copied == ROWS * len(PUBLISHED_TABLES)
    row = database.run(
        "select user_id, interests->0->>'category', predicted_at::text, as_of_date::text, is_holdout "
        "from predictions.user_profiles_latest order by user_id limit 1"
    )
    assert row == [("user_id 0", "GROCERY", "2017-12-04 02:00:00+00", "2017-12-04", True)]
    comment = "select obj_description('predictions.user_profiles_latest'::regclass)"
    assert "One row per known user." in database.run(comment)[0][0] and "user_id" in database.run(comment)[0][0]
    key = "select pg_get_constraintdef(oid) from pg_constraint where conrelid = 'predictions.price_responses'::regclass"
    assert ("PRIMARY KEY (product_id, price, run_id)",) in database.run(key)


def test_what_the_shelf_does_not_keep_goes(home: Home, database: Session) -> None:
    for run_id in ("20260704-a", "20260705-b"):
        home.release(run_id)
    home.shelf.file("20260704-a").unlink()
    assert home.release("20260706-c").removed_runs == ("20260704-a",)
    assert database.run("select run_id from predictions.releases order by 1") == [("20260705-b",), ("20260706-c",)]
    left = database.run("select count(*) from pg_tables where schemaname = 'predictions_partitions'")
    assert left == [(2 * 2,)]


def test_a_file_that_was_written_anew_is_copied_anew(home: Home, database: Session) -> None:
    home.release("20260704-a")
    home.release("20260705-b")
    file = home.shelf.file("20260704-a")
    os.utime(file, ns=(0, 0))
    shown = home.show(home.releases, "20260705-b")
    assert shown.rows_copied == ALL_ROWS
    assert database.run("select run_id, count(*) from predictions.user_profiles group by 1 order by 1") == [
        ("20260704-a", ROWS),
        ("20260705-b", ROWS),
    ]


def test_a_long_reader_keeps_its_run_and_no_night_waits(
    home: Home, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("warehouse.postgres.publish._PATIENCE", "300ms")
    home.release("20260704-a")
    with connect(address) as reader:
        reader.run("begin isolation level repeatable read")
        before = seen(reader)
        home.release("20260705-b")
        home.shelf.file("20260704-a").unlink()
        assert home.release("20260706-c").waiting_runs == ("20260704-a",)
        assert seen(reader) == before
        reader.run("commit")
        assert list(seen(reader)) == ["20260706-c"]
    assert home.show(home.releases, "20260706-c").removed_runs == ("20260704-a",)


def test_twenty_readers_see_one_run_only(home: Home, address: str) -> None:
    home.release("20260701-0")
    is_over = threading.Event()
    mixed: list[dict[str, int]] = []
    reads = [0] * 20

    def read(number: int) -> None:
        with connect(address) as session:
            while not is_over.is_set():
                found = seen(session)
                reads[number] += 1
                if list(found.values()) != [ALL_ROWS]:
                    mixed.append(found)
                time.sleep(0.05)

    readers = [threading.Thread(target=read, args=(number,)) for number in range(20)]
    for reader in readers:
        reader.start()
    try:
        for night in range(1, 11):
            home.release(f"20260701-{night}")
    finally:
        is_over.set()
        for reader in readers:
            reader.join()
    assert mixed == [] and min(reads) >= 10


def test_another_homes_runs_are_left_alone(home: Home, tmp_path: Path, address: str, database: Session) -> None:
    home.release("20260704-a")
    other = Home(tmp_path / "other", address)
    with pytest.raises(ForeignRuns, match="Remedy"):
        other.release("20260704-z")
    assert list(seen(database)) == ["20260704-a"]


def test_the_named_role_may_read_and_nothing_else(
    tmp_path: Path, address: str, database: Session, two_tables: None
) -> None:
    database.run("drop role if exists analysts")
    database.run("create role analysts")
    Home(tmp_path, address, Schema("predictions", readers="analysts")).release("20260704-a")
    database.run("set role analysts")
    assert list(seen(database)) == ["20260704-a"]
    for refused in ("delete from predictions.user_profiles", "select * from predictions_partitions.anything"):
        with pytest.raises(Refused) as error:
            database.run(refused)
        assert error.value.sqlstate == "42501"
    database.run("reset role")
    database.run("drop owned by analysts")
    database.run("drop role analysts")


def test_a_contract_that_has_grown_finds_its_column(home: Home, database: Session) -> None:
    home.release("20260704-a")
    database.run("alter table predictions.user_profiles drop column segment_name cascade")
    database.run("comment on schema predictions_partitions is 'of another version'")
    home.release("20260705-b")
    assert database.run("select count(segment_name) from predictions.user_profiles_latest") == [(ROWS,)]


def test_tables_whose_key_has_another_order_go_on_with_it(
    home: Home, database: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as before:
        before.setattr(release_tables, "_key", lambda table: tuple(dict.fromkeys(("run_id", *table.key))))
        home.release("20260704-a")
    home.release("20260705-b")
    assert seen(database) == {"20260705-b": ALL_ROWS}


def test_a_server_that_is_not_there_is_named(home: Home) -> None:
    gone = replace(home.target, address=parse_address("postgresql://nobody@127.0.0.1:1/shop"))
    home.release("20260704-a")
    with pytest.raises(ServerLost, match=r"127\.0\.0\.1:1.*Remedy"):
        publish.show_release(gone, home.shelf, home.releases)
