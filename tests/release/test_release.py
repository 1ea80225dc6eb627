"""The shelf: pointing, rolling back, keeping."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import duckdb
import pytest

from warehouse.connect import open_warehouse
from warehouse.contracts import OPS_TABLES, PUBLISHED_TABLES
from warehouse.contracts.ddl import create_all
from warehouse.release import (
    Shelf,
    list_releases,
    next_release,
    prune,
    put_on_shelf,
    reconcile,
    rollback,
    withdraw_erased,
)
from warehouse.release_file import build_file

Warehouse = duckdb.DuckDBPyConnection


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    shelf = Shelf(tmp_path / "published", tmp_path / "published.duckdb")
    shelf.tidy()
    return shelf


@pytest.fixture
def con(tmp_path: Path) -> Iterator[Warehouse]:
    with open_warehouse(tmp_path / "warehouse.duckdb") as con:
        con.execute("begin")
        create_all(con, (*PUBLISHED_TABLES, *OPS_TABLES))
        con.execute("commit")
        yield con


def publish(con: Warehouse, shelf: Shelf, run_id: str) -> None:
    release = next_release(con, shelf, run_id, date(2017, 12, 4), "night", "nightly")
    build_file(con, shelf.draft(run_id), release)
    put_on_shelf(con, shelf, release)


def current(con: Warehouse) -> list[str]:
    return [release.run_id for release in list_releases(con) if release.is_current]


def test_back_and_back_again(con: Warehouse, shelf: Shelf):
    for run_id in ("a", "b", "c"):
        publish(con, shelf, run_id)
    first = rollback(con, shelf, reason="wrong prices", released_by="ann")
    assert (first.run_id, first.kind, first.reason, first.released_by) == ("b", "rollback", "wrong prices", "ann")
    assert rollback(con, shelf, reason="still wrong", released_by="ann").run_id == "a"
    assert shelf.current == shelf.file("a")
    assert current(con) == ["a"]
    with pytest.raises(LookupError, match="no earlier release"):
        rollback(con, shelf, reason="again", released_by="ann")
    assert rollback(con, shelf, to_run_id="c", reason="mended", released_by="bob").run_id == "c"
    assert current(con) == ["c"]
    assert [release.release_number for release in list_releases(con)] == [1, 2, 3, 4, 5, 6]


def test_rollback_names_what_there_is(con: Warehouse, shelf: Shelf):
    with pytest.raises(LookupError, match="no earlier release"):
        rollback(con, shelf, reason="why", released_by="ann")
    for run_id in ("a", "b"):
        publish(con, shelf, run_id)
    with pytest.raises(LookupError, match="x was never released; nights that were: a, b"):
        rollback(con, shelf, to_run_id="x", reason="why", released_by="ann")
    shelf.file("a").unlink()
    with pytest.raises(LookupError, match="file of night a is no longer kept; nights that are: b"):
        rollback(con, shelf, reason="why", released_by="ann")
    assert shelf.current == shelf.file("b")


def test_an_older_file_shows_its_own_night(con: Warehouse, shelf: Shelf):
    for run_id in ("a", "b"):
        publish(con, shelf, run_id)
    rollback(con, shelf, reason="why", released_by="ann")
    with duckdb.connect(str(shelf.link), read_only=True) as reader:
        assert reader.execute("select run_id from ops.releases where is_current").fetchall() == [("a",)]


def test_what_readers_see_is_never_removed(con: Warehouse, shelf: Shelf):
    for run_id in ("a", "b", "c"):
        publish(con, shelf, run_id)
    rollback(con, shelf, to_run_id="a", reason="why", released_by="ann")
    assert prune(shelf, 1) == ["b.duckdb"]
    assert {file.stem for file in shelf.folder.iterdir()} == {"a", "c"}


def test_files_that_name_an_erased_user_are_withdrawn(con: Warehouse, shelf: Shelf):
    con.execute("insert into predictions.user_profiles (user_id, run_id) values ('ann', 'a'), ('bob', 'a')")
    publish(con, shelf, "a")
    con.execute("delete from predictions.user_profiles where user_id = 'ann'")
    publish(con, shelf, "b")
    publish(con, shelf, "c")
    assert withdraw_erased(con, shelf) == []
    con.execute("insert into ops.erased_users (user_hash) values (sha256('ann'))")
    assert withdraw_erased(con, shelf) == ["a.duckdb"]
    with pytest.raises(LookupError, match="no longer kept"):
        rollback(con, shelf, to_run_id="a", reason="back", released_by="ann")
    assert rollback(con, shelf, reason="wrong prices", released_by="ann").run_id == "b"


def test_a_rollback_that_was_not_recorded_is_found(con: Warehouse, shelf: Shelf):
    for run_id in ("a", "b"):
        publish(con, shelf, run_id)
    assert not reconcile(con, shelf)
    shelf.link.unlink()
    shelf.link.symlink_to("published/a.duckdb")
    assert reconcile(con, shelf)
    assert [(release.run_id, release.kind) for release in list_releases(con)][-1] == ("a", "rollback")
    assert current(con) == ["a"]


def test_drafts_of_an_interrupted_night_are_removed(shelf: Shelf):
    for name in ("x.duckdb.tmp", "x.duckdb.tmp.wal"):
        (shelf.folder / name).touch()
    (shelf.folder / "y.duckdb").touch()
    shelf.tidy()
    assert [file.name for file in shelf.folder.iterdir()] == ["y.duckdb"]
