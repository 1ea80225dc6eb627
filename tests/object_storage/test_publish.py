"""What readers of a bucket see of releases: one run, whole, whatever happens to who writes it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import polars as pl
import pytest

from tests.object_storage.home import ROWS, TABLES, Home
from warehouse.mirror import ForeignRuns
from warehouse.object_storage import publish
from warehouse.object_storage.store import Store, StoreLost


@pytest.fixture(autouse=True)
def two_tables(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(publish, "PUBLISHED_TABLES", TABLES)


@pytest.fixture
def home(tmp_path: Path, bucket: str) -> Home:
    return Home(tmp_path, f"{bucket}/published")


def runs(names: Sequence[str] | set[str]) -> set[str]:
    return {name.partition("run_id=")[2][:1] for name in names if "run_id=" in name}


def test_readers_see_the_newest_run_and_after_a_rollback_the_one_before(home: Home) -> None:
    assert home.release("a").rows_written == 2 * ROWS
    assert home.release("b").rows_written == 2 * ROWS
    assert home.seen() == ("b", [ROWS, ROWS])
    assert home.show("a").rows_written == 0
    assert home.seen() == ("a", [ROWS, ROWS])


def test_runs_that_the_home_no_longer_keeps_go(home: Home) -> None:
    for run_id in ("a", "b", "c"):
        home.release(run_id)
    home.shelf.file("a").unlink()
    assert home.show("c").removed_runs == ("a",)
    assert runs(home.names()) == {"b", "c"}


def test_a_file_that_was_written_anew_is_copied_anew_and_the_earlier_one_is_gone(home: Home) -> None:
    home.release("a")
    home.release("b")
    before = home.names()
    for run_id in ("a", "b"):
        home.shelf.file(run_id).unlink()
        home.write(run_id, ROWS - 5)
    assert home.show("b").rows_written == 4 * (ROWS - 5)
    assert home.seen() == ("b", [ROWS - 5, ROWS - 5])
    assert len(home.names()) == len(before) and len(home.names() & before) == 3


@pytest.mark.parametrize("writes", range(4))
def test_a_publish_that_fails_at_any_write_leaves_readers_the_run_before(
    writes: int, home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    home.release("a")
    real, done = Store.write, iter(range(writes))

    def dies(self: Store, name: str, content: bytes | Path) -> None:
        if next(done, None) is None:
            raise StoreLost("gone. Remedy: wait.")
        real(self, name, content)

    with monkeypatch.context() as patched:
        patched.setattr(Store, "write", dies)
        with pytest.raises(StoreLost):
            home.release("b")
    assert home.seen() == ("a", [ROWS, ROWS])
    assert ("manifests/run_id=b.json" in home.names()) == (writes == 3)
    home.write("b", ROWS + 1)
    home.show("b")
    assert home.seen() == ("b", [ROWS + 1, ROWS + 1])
    assert len([name for name in home.names() if "run_id=b/" in name]) == 2
    assert not list(home.folder.glob("parquet-*"))


def test_another_homes_runs_are_left_alone(home: Home, tmp_path: Path) -> None:
    home.release("a")
    other = Home(tmp_path / "other", home.location)
    with pytest.raises(ForeignRuns, match=r"such as a.*another prefix"):
        other.release("z")
    assert home.seen() == ("a", [ROWS, ROWS]) and runs(home.names()) == {"a"}


def test_a_folder_does_as_well_and_polars_finds_the_partitions(tmp_path: Path) -> None:
    home = Home(tmp_path / "home", str(tmp_path / "out"))
    home.release("a")
    home.release("b")
    assert home.seen() == ("b", [ROWS, ROWS])
    found = pl.scan_parquet(tmp_path / "out" / f"table={TABLES[0].name}", hive_partitioning=True)
    assert found.select("run_id").collect()["run_id"].value_counts(sort=True).rows() == [("a", ROWS), ("b", ROWS)]
