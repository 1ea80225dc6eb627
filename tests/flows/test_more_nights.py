"""What happens after a first night: again, broken, rolled back, read meanwhile, with tickets."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import duckdb
import polars as pl
import pytest
from typer.testing import CliRunner

from flows.backfill import finished_nights, run_backfill
from flows.cli import app
from flows.look import look, query_published
from flows.tonight import run_night
from mtl_models import checkpoint
from tests.flows.conftest import Released, tiny_settings
from tests.shop import Shop, write_shop
from tests.traces import traces
from warehouse import lock
from warehouse.connect import open_read_only
from warehouse.contracts import PUBLISHED_TABLES
from warehouse.diary import model_hash

# Who wrote a row and when; everything else must be equal when a night is repeated.
OF_THE_RUN = {"run_id", "predicted_at", "model_version"}


@pytest.fixture
def home(released: Released, tmp_path: Path) -> Path:
    """A copy of the released home, to go on from."""
    assert released.outcome.exit_code == 0, released.outcome.message
    return shutil.copytree(released.home, tmp_path / "home", symlinks=True)


def tables(path: Path) -> dict[str, list[tuple[object, ...]]]:
    """{table: sorted rows without the run's own columns} of what is published."""
    with open_read_only(path) as con:
        return {
            table.name: sorted(
                con.execute(f"select {_shown(table)} from predictions.{table.name}").fetchall(), key=repr
            )
            for table in PUBLISHED_TABLES
        }


def _shown(table) -> str:
    return ", ".join(name for name in table.column_names if name not in OF_THE_RUN)


def test_the_same_night_is_not_made_twice_unless_forced(released: Released, home: Path, shop_folder: Path) -> None:
    settings = tiny_settings(home, shop_folder)
    before = tables(home / "published.duckdb")
    again = run_night(settings, is_quiet=True)
    assert (again.status, again.exit_code) == ("unchanged", 0) and released.outcome.run_id in again.message
    assert [night["status"] for night in look(home).nights] == ["skipped", "released"]

    reader = duckdb.connect(str(home / "published.duckdb"), read_only=True)
    forced = run_night(settings, force=True, is_quiet=True)
    assert forced.status == "released", forced.message
    assert [night["status"] for night in look(home).nights] == ["released", "skipped", "released"]
    # A reader that was there keeps its night; a new one sees the new night; both say the same.
    fullest = max(before, key=lambda name: len(before[name]))
    seen = f"select distinct run_id from predictions.{fullest}_latest"
    assert reader.execute(seen).fetchall() == [(released.outcome.run_id,)]
    assert query_published(home, seen)[1] == [(forced.run_id,)]
    reader.close()
    after = tables(home / "published.duckdb")
    assert {name: len(rows) for name, rows in after.items()} == {name: len(rows) for name, rows in before.items()}
    assert after == before

    back = CliRunner().invoke(app, ["rollback", "--reason", "for a test", "--home", str(home), "--json"])
    assert back.exit_code == 0 and json.loads(back.stdout)["run_id"] == released.outcome.run_id
    assert query_published(home, seen)[1] == [(released.outcome.run_id,)]
    release = look(home).release
    assert release is not None and (release["kind"], release["run_id"]) == ("rollback", released.outcome.run_id)


ERASED = ["u0042", "u0149"]


@pytest.fixture
def broken_folder(shop_folder: Path, tmp_path: Path) -> Path:
    """The shop's feeds, but one order in five belongs to nobody, and two users want to be erased."""
    folder = shutil.copytree(shop_folder, tmp_path / "broken")
    users = pl.read_csv(folder / "users.csv")
    asked_at = pl.when(pl.col("user_id").is_in(ERASED)).then(pl.lit("2024-07-01"))
    users.with_columns(erased_at=asked_at).write_csv(folder / "users.csv")
    orders = pl.read_parquet(folder / "orders.parquet").with_row_index()
    nobody = pl.when(pl.col("index") % 5 == 0).then(None).otherwise("user_id")
    orders.with_columns(user_id=nobody).drop("index").write_parquet(folder / "orders.parquet")
    return folder


def test_bad_rows_stop_the_night_and_leave_the_release(released: Released, home: Path, broken_folder: Path) -> None:
    # The same home, but the file that it loaded before has changed for the worse.
    settings = tiny_settings(home, broken_folder)
    target = (home / "published.duckdb").readlink()
    assert len({file for file, _ in traces(ERASED, home)}) > 2, "the warehouse, the release and the model know them"
    outcome = run_night(settings, is_quiet=True)
    assert (outcome.status, outcome.exit_code) == ("stopped", 3), outcome.message
    assert "data gate" in outcome.message and "orders" in outcome.message and "Remedy" in outcome.message
    assert (home / "published.duckdb").readlink() == target
    morning = look(home)
    assert morning.nights[0]["status"] == "stopped" and "orders" in morning.nights[0]["stopped_by"]
    assert [row for row in morning.checks if row["verdict"] == "FAIL" and row["subject"] == "orders"]
    assert morning.release is not None and morning.release["run_id"] == released.outcome.run_id
    # Whoever is erased is gone from every file all the same: the release that stays, its model, the warehouse.
    assert traces(ERASED, home) == set()
    profiles = "select count(*) from predictions.user_profiles_latest"
    assert query_published(home, profiles)[1][0][0] == query_published(released.home, profiles)[1][0][0] - len(ERASED)
    with open_read_only(home / "warehouse.duckdb") as con:
        assert con.execute("select count(forgotten_at) from ops.erased_users").fetchall() == [(len(ERASED),)]
        checkpoint.load(home / "models" / str(released.outcome.run_id), model_hash(con, str(released.outcome.run_id)))


def test_a_missing_column_stops_a_first_night_without_any_server(shop_folder: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(shop_folder, tmp_path / "broken")
    pl.read_parquet(folder / "order_lines.parquet").drop("quantity").write_parquet(folder / "order_lines.parquet")
    command = [str(Path(sys.executable).with_name("fivefold")), "run", "--json", "--source", f"files:{folder}"]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PREFECT_")}
    answer = subprocess.run(
        command,
        cwd=tmp_path,
        env={**environment, "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert answer.returncode == 3, answer.stderr
    told = json.loads(answer.stdout)
    assert told["status"] == "stopped"
    assert all(word in told["message"] for word in ("order_lines", "quantity", "Remedy"))
    assert "Traceback" not in answer.stderr
    # Everything that was written lies below the home folder, Prefect's state too.
    assert {path.name for path in tmp_path.iterdir()} == {"broken", ".fivefold"}
    assert (tmp_path / ".fivefold" / "prefect").is_dir()


def test_a_second_night_at_the_same_time_is_refused(prefect_server: str, home: Path, shop_folder: Path) -> None:
    with lock.writing(home, "night of somebody"):
        outcome = run_night(tiny_settings(home, shop_folder), is_quiet=True)
    assert (outcome.status, outcome.exit_code) == ("busy", 4)
    assert "night of somebody" in outcome.message and "Remedy" in outcome.message


def test_a_backfill_skips_what_is_finished_and_gives_readers_their_day_back(
    released: Released, home: Path, shop_folder: Path, shop: Shop
) -> None:
    settings = tiny_settings(home, shop_folder)
    assert finished_nights(settings) == {shop.as_of_date: released.outcome.run_id}
    week_before = shop.as_of_date - timedelta(days=7)
    outcomes = run_backfill(settings, week_before, shop.as_of_date, 7, is_quiet=True)
    assert [(night.as_of_date, night.status) for night in outcomes] == [
        (week_before, "released"),
        (shop.as_of_date, "finished"),
    ]
    assert set(finished_nights(settings)) == {week_before, shop.as_of_date}
    again = run_backfill(settings, week_before, shop.as_of_date, 7, is_quiet=True)
    assert [night.status for night in again] == ["finished", "finished"]
    release = look(home).release
    assert release is not None and release["run_id"] == released.outcome.run_id


@pytest.fixture
def shop_with_tickets(tmp_path: Path) -> Iterator[Path]:
    return write_shop(tmp_path / "tickets", Shop(has_tickets=True))


def test_with_tickets_the_service_head_learns(prefect_server: str, shop_with_tickets: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    outcome = run_night(tiny_settings(home, shop_with_tickets), is_quiet=True)
    assert outcome.exit_code == 0, outcome.message
    service = next(row for row in look(home).heads if row["head"] == "service")
    assert service["status"] in ("released", "not_released") and service["sample_count"] > 0
