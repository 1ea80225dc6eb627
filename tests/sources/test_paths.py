"""A file is read by its name, whatever that is, and nothing outside the folder is."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from tests.landing import Folder, empty_warehouse
from warehouse.sources import FeedError

NAMES = (
    *("a[bc]", "ab", "b", "*", "**", "?", "[!a]", "{a,b}", "x*y", "xzy"),
    *("it's", 'say "hi"', "new\nline", "; drop table raw.users; --", "ünï", "$1", "-rf", "%41", "' or 1=1 --"),
)


@pytest.fixture
def folder(tmp_path: Path):
    """Of a shop whose folder has an odd name too."""
    feeds = tmp_path / "[feeds]*'s"
    feeds.mkdir()
    with empty_warehouse(tmp_path / "warehouse.duckdb") as con:
        yield Folder(feeds, con)


@pytest.mark.parametrize("kind", ["csv", "ndjson", "parquet"])
def test_each_file_is_read_once_whatever_its_name(folder: Folder, kind: str) -> None:
    (folder.path / "users").mkdir()
    for name in NAMES:
        getattr(pl.DataFrame({"user_id": [f"of {name}"]}), f"write_{kind}")(folder.path / "users" / f"{name}.{kind}")
    assert folder.load("users").rows_read == len(NAMES)
    assert {name for (name,) in folder.rows("select user_id from raw.users")} == {f"of {name}" for name in NAMES}
    inputs = {f"users/{name}.{kind}" for name in NAMES}
    assert {name for (name,) in folder.rows("select input_name from ops.loads where rows_read = 1")} == inputs


def test_a_name_that_could_part_folders_is_refused(folder: Folder) -> None:
    folder.write("users/an\\evil.csv", "user_id\nmallory\n")
    with pytest.raises(FeedError, match=r"backslash.*Remedy"):
        folder.load("users")


@pytest.mark.parametrize("at", ["users.csv", "users/1.csv", "users"])
@pytest.mark.parametrize("is_relative", [True, False])
def test_no_link_leads_out_of_the_folder(folder: Folder, at: str, is_relative: bool) -> None:
    outside = folder.path.parent / "secrets"
    outside.mkdir()
    (outside / "1.csv").write_text("user_id\nmallory\n")
    target = outside if at == "users" else outside / "1.csv"
    link = folder.path / at
    link.parent.mkdir(exist_ok=True)
    up = Path(*[".."] * len(Path(at).parts))
    link.symlink_to(up / target.relative_to(folder.path.parent) if is_relative else target)
    assert link.exists(), "a link that leads nowhere proves nothing"
    with pytest.raises(FeedError, match=r"leads out of the folder.*Remedy"):
        folder.load("users")
    assert folder.rows("from raw.users") == []


def test_a_link_within_the_folder_is_followed(folder: Folder) -> None:
    (folder.write("archive/2024.csv", "user_id\nanna\n"))
    (folder.path / "users.csv").symlink_to("archive/2024.csv")
    folder.load("users")
    assert folder.rows("select user_id from raw.users") == [("anna",)]
