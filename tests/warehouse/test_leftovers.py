"""What a killed process left in a home, and what the next one makes of it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import duckdb
import pytest

from warehouse.connect import open_warehouse
from warehouse.leftovers import clear_files, settle_nights
from warehouse.migrate import migrate
from warehouse.release import Shelf, list_releases, next_release, put_on_shelf, rollback
from warehouse.release_file import build_file

LEFTOVERS = (
    "published/a.duckdb.tmp",
    "published/a.duckdb.tmp.wal",
    "published.duckdb.tmp",
    "reports/2024-07-19.html.part",
    "warehouse.duckdb.tmp/duckdb_temp_storage_S64K-0.tmp",
)
KEPT = ("published/b.duckdb", "reports/2024-07-18.html", "models/b/model.json", "notes.txt")


@pytest.fixture
def con(tmp_path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    with open_warehouse(tmp_path / "warehouse.duckdb") as con:
        migrate(con)
        yield con


def begin(con: duckdb.DuckDBPyConnection, home: Path, run_id: str, status: str = "running") -> Shelf:
    """A night with a model and a finished draft."""
    shelf = Shelf.of(home)
    shelf.tidy()
    con.execute("insert into ops.runs (run_id, status) values ($1, $2)", [run_id, status])
    (home / "models" / run_id).mkdir(parents=True)
    release = next_release(con, shelf, run_id, date(2024, 7, 19), "night", "nightly")
    build_file(con, shelf.draft(run_id), release)
    return shelf


def publish(con: duckdb.DuckDBPyConnection, home: Path, run_id: str) -> Shelf:
    shelf = begin(con, home, run_id, "released")
    put_on_shelf(con, shelf, next_release(con, shelf, run_id, date(2024, 7, 19), "night", "nightly"))
    return shelf


def test_what_is_half_written_goes_and_is_told_and_nothing_else_goes(tmp_path: Path) -> None:
    for name in (*LEFTOVERS, *KEPT):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    told = clear_files(tmp_path)
    assert [line.split()[1] for line in told] == ["3", "1", "1"]
    assert not any((tmp_path / name).exists() for name in LEFTOVERS)
    assert all((tmp_path / name).exists() for name in KEPT)
    assert not (tmp_path / "warehouse.duckdb.tmp").exists()
    assert clear_files(tmp_path) == []


def test_a_file_that_readers_never_saw_goes_with_its_model(con, tmp_path: Path) -> None:
    shelf = publish(con, tmp_path, "a")
    begin(con, tmp_path, "b")
    shelf.draft("b").rename(shelf.file("b"))
    told = settle_nights(con, tmp_path)
    assert len(told) == 2 and all("night b" in line for line in told)
    assert shelf.current == shelf.file("a") and not shelf.file("b").exists()
    assert [folder.name for folder in (tmp_path / "models").iterdir()] == ["a"]
    assert settle_nights(con, tmp_path) == []


def test_a_release_that_was_not_written_down_is_found_and_kept(con, tmp_path: Path) -> None:
    publish(con, tmp_path, "a")
    shelf = publish(con, tmp_path, "b")
    con.execute("delete from ops.releases where run_id = 'b'")
    con.execute("update ops.releases set is_current = true")
    con.execute("update ops.runs set status = 'running' where run_id = 'b'")
    (told,) = settle_nights(con, tmp_path)
    assert "readers see night b" in told
    assert [release.run_id for release in list_releases(con) if release.is_current] == ["b"]
    assert shelf.file("b").exists() and (tmp_path / "models" / "b").exists()


def test_the_model_of_a_night_that_failed_goes_and_that_of_one_that_a_gate_stopped_stays(con, tmp_path: Path) -> None:
    for run_id, status in {"a": "failed", "b": "stopped"}.items():
        begin(con, tmp_path, run_id, status)
    assert settle_nights(con, tmp_path) == ["removed the model of night a, which never came to its end"]
    assert [folder.name for folder in (tmp_path / "models").iterdir()] == ["b"]


def test_a_rollback_that_was_killed_and_asked_for_again_goes_back_once(con, tmp_path: Path) -> None:
    for run_id in ("a", "b", "c"):
        shelf = publish(con, tmp_path, run_id)
    shelf.link.unlink()
    shelf.link.symlink_to("published/b.duckdb")
    assert rollback(con, shelf, reason="wrong prices", released_by="ann").run_id == "b"
    assert shelf.current == shelf.file("b")
    assert rollback(con, shelf, reason="still wrong", released_by="ann").run_id == "a"


def test_a_database_that_was_only_begun_is_begun_again(tmp_path: Path) -> None:
    (tmp_path / "warehouse.duckdb.new").write_bytes(b"half a header")
    with open_warehouse(tmp_path / "warehouse.duckdb") as con:
        assert con.execute("select 1").fetchall() == [(1,)]
    assert [path.name for path in tmp_path.iterdir()] == ["warehouse.duckdb"]
