"""From the writer's tables to what readers see."""

from __future__ import annotations

import subprocess
import sys

import duckdb
import pytest

from tasks.gates import GateStopped
from tasks.night import Night
from tasks.publish_release import publish_release
from tests.decisions.conftest import pass_as
from warehouse import release as release_module
from warehouse.connect import open_read_only
from warehouse.contracts import OPS_TABLES, PUBLISHED_TABLES
from warehouse.release import Shelf, list_releases, reconcile, rollback

Warehouse = duckdb.DuckDBPyConnection

# A reader in a process of its own: says which night it sees before and after its input says to look again.
READER = """
import sys, duckdb
con = duckdb.connect(sys.argv[1], read_only=True)
seen = "select distinct run_id from predictions.user_profiles_latest"
print(con.execute(seen).fetchall()[0][0], flush=True)
sys.stdin.readline()
print(con.execute(seen).fetchall()[0][0], flush=True)
print(duckdb.connect(sys.argv[1], read_only=True).execute(seen).fetchall()[0][0], flush=True)
"""


def die(*_: object) -> None:
    raise KeyboardInterrupt


def seen(night: Night) -> str:
    with open_read_only(night.published_link) as con:
        return con.execute("select distinct run_id from predictions.user_profiles_latest").fetchall()[0][0]


def test_readers_find_tables_views_meaning_and_diary(decided: Warehouse, night: Night):
    decided.execute(
        """insert into ops.runs by name select 'night-1' as run_id, date '2017-12-04' as as_of_date, 'tiny' as source,
            'running' as status, timestamp '2017-12-04 02:00' as started_at;
        insert into ops.quarantined_rows by name
        select 'night-1' as run_id, 'users' as table_name, 1 as row_number, '{"user_id": "u"}' as row_key,
            'key_unique' as broken_rules, '{"user_id": "u", "gender": "f"}' as row_json,
            now()::timestamp as quarantined_at
        union all by name
        select 'night-0' as run_id, 'users' as table_name, 1 as row_number, 'key_unique' as broken_rules,
            now()::timestamp as quarantined_at"""
    )
    report = publish_release(decided, night)
    assert report.rows["demand_forecasts"] == 240
    assert night.published_link.is_symlink()
    assert not night.published_link.readlink().is_absolute()
    assert report.file.stat().st_mode & 0o777 == 0o440
    with open_read_only(night.published_link) as con:
        for table in PUBLISHED_TABLES:
            for name in (table.name, f"{table.name}_latest"):
                comments = dict(
                    con.execute(
                        "select column_name, comment from duckdb_columns() where table_name = $1", [name]
                    ).fetchall()
                )
                assert comments == {column.name: column.meaning for column in table.columns}
            counts = (
                f"select (select count(*) from predictions.{table.name}_latest), count(*) from predictions.{table.name}"
            )
            assert len(set(con.execute(counts).fetchall()[0])) == 1
        assert (
            con.execute("select comment from duckdb_tables() where table_name = 'user_profiles'")
            .fetchall()[0][0]
            .startswith("One row per known user.")
        )
        for name in ("experiment_lifts_latest", "decision_counts_latest"):
            assert con.execute(f"select * from ops.{name}").fetchall() == []
        tables = con.execute("select table_name from duckdb_tables() where schema_name = 'ops'").fetchall()
        assert {name for (name,) in tables} == {table.name for table in OPS_TABLES}
        assert con.execute("select status, finished_at is not null from ops.runs").fetchall() == [("released", True)]
        assert con.execute("select run_id, row_json from ops.quarantined_rows").fetchall() == [("night-1", None)]
        assert con.execute("select run_id, is_current from ops.releases").fetchall() == [("night-1", True)]
        with pytest.raises(duckdb.Error):
            con.execute("delete from predictions.user_profiles")


def test_an_open_reader_keeps_its_night_and_a_new_one_sees_the_next(released: Warehouse, night: Night):
    with subprocess.Popen(
        [sys.executable, "-c", READER, str(night.published_link)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as reader:
        assert reader.stdout is not None
        assert reader.stdout.readline() == "night-0\n"
        publish_release(released, night)
        # The second connection is in the same process, beside the one that is still open.
        assert reader.communicate("\n", timeout=60)[0].split() == ["night-0", "night-1"]


@pytest.mark.parametrize("step", ["_sync", "_point"])
def test_a_crash_before_the_swap_changes_nothing(
    released: Warehouse, night: Night, step: str, monkeypatch: pytest.MonkeyPatch
):
    with monkeypatch.context() as broken, pytest.raises(KeyboardInterrupt):
        broken.setattr(release_module, step, die)
        publish_release(released, night)
    assert seen(night) == "night-0"
    assert [release.run_id for release in list_releases(released)] == ["night-0"]
    publish_release(released, pass_as(released, night.model_copy(update={"run_id": "night-2"})))
    assert seen(night) == "night-2"
    assert not list(night.published_folder.glob("*.tmp*"))


def test_a_crash_between_swap_and_record_is_mended(released: Warehouse, night: Night, monkeypatch: pytest.MonkeyPatch):
    with monkeypatch.context() as broken, pytest.raises(KeyboardInterrupt):
        broken.setattr(release_module, "_record", die)
        publish_release(released, night)
    assert seen(night) == "night-1"
    assert reconcile(released, Shelf(night.published_folder, night.published_link))
    assert [(release.run_id, release.kind, release.is_current) for release in list_releases(released)] == [
        ("night-0", "release", False),
        ("night-1", "release", True),
    ]


def test_rollback_shows_the_earlier_night_whole(released: Warehouse, night: Night):
    publish_release(released, night)
    assert seen(night) == "night-1"
    rollback(released, Shelf(night.published_folder, night.published_link), reason="wrong", released_by="ann")
    assert seen(night) == "night-0"


def test_only_the_newest_files_are_kept(released: Warehouse, night: Night):
    one = night.model_copy(update={"publish": night.publish.model_copy(update={"keep_releases": 1})})
    assert publish_release(released, one).removed_files == ["night-0.duckdb"]
    assert [file.stem for file in night.published_folder.iterdir()] == ["night-1"]


UNFIT = {
    "user_profiles breaks key_unique": "insert into predictions.user_profiles from predictions.user_profiles limit 1",
    "breaks expected_revenue_28d_in_range": "update predictions.user_profiles set expected_revenue_28d = -1",
    "demand_forecasts has 0 rows but the head supply is served": "delete from predictions.demand_forecasts",
    "but the head pricing is not served": "update ops.head_status set status = 'not_released' where head = 'pricing'",
    "no head is served": "delete from ops.head_status",
    "only 20 of 40 known users have a profile": """delete from predictions.user_profiles
        where substr(user_id, 6)::integer >= 20""",
}


@pytest.mark.parametrize("complaint", UNFIT)
def test_an_unfit_file_is_not_released(complaint: str, released: Warehouse, night: Night):
    released.execute(UNFIT[complaint])
    with pytest.raises(GateStopped) as stopped:
        publish_release(released, night)
    assert stopped.value.gate == "release"
    assert complaint in stopped.value.reason
    assert seen(night) == "night-0"
    assert [file.name for file in night.published_folder.iterdir()] == ["night-0.duckdb"]


def test_a_night_is_released_once_and_its_checks_are_in_the_diary(decided: Warehouse, night: Night):
    publish_release(decided, night)
    found = decided.execute(
        "select count(*) > 10, bool_and(is_passed) from ops.quality_checks where table_name = 'price_recommendations'"
    ).fetchall()
    assert found == [(True, True)]
    with pytest.raises(GateStopped, match="released already"):
        publish_release(decided, night)
