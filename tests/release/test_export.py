"""A release as files: the same rows, whole or not at all, and no formulas for a spreadsheet."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import polars as pl
import pytest
from typer.testing import CliRunner

from flows.cli import app
from warehouse.connect import open_warehouse
from warehouse.contracts import PUBLISHED_TABLES
from warehouse.export import export_release
from warehouse.migrate import migrate

NIGHT = "20240719-x"
ACTIONS = ["Set the price", "=HYPERLINK(1)", "+1", "-1", "@x", "\tx", "a=b, c\n'd'"]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home whose one published file has actions and a list column."""
    home = tmp_path / "home"
    file = home / "published" / f"{NIGHT}.duckdb"
    with open_warehouse(file) as con:
        migrate(con)
        con.execute(
            """insert into predictions.action_queue by name
            select generate_subscripts($1, 1) as rank, unnest($1) as action, -1.5 as value_at_stake""",
            [ACTIONS],
        )
        con.execute(
            """insert into predictions.user_profiles by name
            select 'u' as user_id, [{'category': 'Pets', 'share': 0.5}] as interests"""
        )
    (home / "published.duckdb").symlink_to(Path("published") / file.name)
    return home


def published(home: Path) -> Path:
    return home / "published" / f"{NIGHT}.duckdb"


def test_parquet_holds_the_rows_as_they_are(home: Path, tmp_path: Path) -> None:
    rows = export_release(published(home), tmp_path / "out", "parquet")
    assert set(rows) == {table.name for table in PUBLISHED_TABLES} and rows["action_queue"] == len(ACTIONS)
    read = pl.read_parquet(tmp_path / "out" / NIGHT / "action_queue.parquet")
    assert read["action"].to_list() == ACTIONS
    for table in PUBLISHED_TABLES:
        found = pl.read_parquet(tmp_path / "out" / NIGHT / f"{table.name}.parquet")
        assert found.columns == list(table.column_names) and len(found) == rows[table.name]


def test_a_spreadsheet_finds_no_formula(home: Path, tmp_path: Path) -> None:
    export_release(published(home), tmp_path / "out", "csv")
    with (tmp_path / "out" / NIGHT / "action_queue.csv").open(newline="") as file:
        read = list(csv.DictReader(file))
    assert [row["action"] for row in read] == [ACTIONS[0], *(f"'{text}" for text in ACTIONS[1:6]), ACTIONS[6]]
    # A number is none.
    assert {row["value_at_stake"] for row in read} == {"-1.5"}
    with (tmp_path / "out" / NIGHT / "user_profiles.csv").open(newline="") as file:
        (user,) = csv.DictReader(file)
    assert json.loads(user["interests"]) == [{"category": "Pets", "share": 0.5}]


def test_an_export_replaces_an_earlier_one_and_leaves_nothing_beside(home: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    export_release(published(home), out, "csv")
    (out / f"{NIGHT}.tmp").mkdir()
    export_release(published(home), out, "parquet")
    assert [path.name for path in out.iterdir()] == [NIGHT]
    assert {path.suffix for path in (out / NIGHT).iterdir()} == {".parquet"}


def test_on_the_command_line(home: Path, tmp_path: Path) -> None:
    command = ["export", str(tmp_path / "out"), "--home", str(home)]
    told = CliRunner().invoke(app, [*command, "--json"])
    assert told.exit_code == 0 and json.loads(told.stdout)["rows"]["action_queue"] == len(ACTIONS)
    other = CliRunner().invoke(app, [*command, "--run", "20010101-y"])
    assert other.exit_code == 1 and NIGHT in other.stderr and "Remedy" in other.stderr
