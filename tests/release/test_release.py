"""The shelf: pointing, rolling back, keeping."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import duckdb
import pytest

from warehouse.connect import open_read_only, open_warehouse
from warehouse.contracts import OPS_TABLES, PUBLISHED_TABLES
from warehouse.contracts.ddl import create_all
from warehouse.erasure import names_any, rewrite_release
from warehouse.release import Shelf, list_releases, next_release, prune, put_on_shelf, reconcile, rollback
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


def test_a_release_is_written_anew_without_an_erased_user(con: Warehouse, shelf: Shelf):
    """Nobody else goes, and the file stays the release that it was: rows, views, comments, mode and age."""
    con.execute("insert into predictions.user_profiles (user_id, run_id) values ('ann-the-first', 'a'), ('bob', 'a')")
    con.execute(
        """insert into predictions.action_queue (rank, object_type, object_id, action, run_id)
        values (1, 'user', 'ann-the-first', 'Ask her back', 'a'), (2, 'product', 'ann-the-first', 'it', 'a')"""
    )
    con.execute(
        """insert into ops.explanations (run_id, table_name, object_id, rank) values ('a', 'user_profiles', 'bob', 1),
        ('a', 'promotion_recommendations', 'ann-the-first|c', 1), ('a', 'user_profiles', 'ann-the-first', 1),
        ('a', 'action_queue', '1', 1), ('a', 'action_queue', '2', 1)"""
    )
    publish(con, shelf, "a")
    file = shelf.file("a")
    before, seen = file.stat(), described(file)
    nobody, ann = (hashlib.sha256(name.encode()).hexdigest() for name in ("nobody", "ann-the-first"))
    assert not names_any(file, [nobody]) and names_any(file, [nobody, ann])
    rewrite_release(file, [nobody, ann])
    assert not names_any(file, [nobody, ann])
    assert file.read_bytes().count(b"ann-the-first") == 1, "a product may be called so"
    with open_read_only(file) as published:
        assert published.execute("select user_id from predictions.user_profiles_latest").fetchall() == [("bob",)]
        assert published.execute("select rank from predictions.action_queue").fetchall() == [(2,)]
        left = published.execute("select table_name, object_id from ops.explanations order by all").fetchall()
    assert left == [("action_queue", "2"), ("user_profiles", "bob")]
    after = file.stat()
    assert (after.st_mode, after.st_mtime_ns) == (before.st_mode, before.st_mtime_ns)
    assert described(file) == seen and [path.name for path in shelf.folder.iterdir()] == ["a.duckdb"]


def described(file: Path) -> list[tuple[object, ...]]:
    """Every table, view and column with its comment."""
    with open_read_only(file) as published:
        return published.execute(
            """select table_name, column_name, data_type, comment from duckdb_columns()
            union all select table_name, null, null, comment from duckdb_tables()
            union all select view_name, null, sql, comment from duckdb_views() where not internal order by all"""
        ).fetchall()


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
