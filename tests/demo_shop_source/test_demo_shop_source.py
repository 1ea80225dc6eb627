from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import duckdb
import polars as pl
import pytest

from tasks.ingest_feeds import ingest_feeds
from tasks.night import Night, ValidationConfig
from tasks.validate_feeds import validate_feeds
from tests.demo_shop_source.conftest import AS_OF, SOURCE, live
from tests.landing import empty_warehouse
from warehouse.contracts import FEEDS
from warehouse.sources import FeedError, open_source
from warehouse.sources.demo_shop.decisions import Decisions
from warehouse.sources.demo_shop.world import Day, World

# People's decisions come from people.
FEEDS_OF_SYSTEMS = {table.name for table in FEEDS} - {"decisions"}


def _hashes(home: Path) -> dict[str, str]:
    files = [file for file in home.rglob("*") if file.is_file() and file.suffix != ".npz"]
    return {file.relative_to(home).as_posix(): hashlib.sha256(file.read_bytes()).hexdigest() for file in files}


@pytest.fixture(scope="module")
def night(lived_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    """The warehouse after ingest and validation of the night of AS_OF; for reading."""
    home = tmp_path_factory.mktemp("night")
    shutil.copytree(lived_home, home, dirs_exist_ok=True)
    night = Night(
        run_id="night", as_of_date=AS_OF, source=SOURCE, home=home, time_zone="Europe/Berlin",
        validation=ValidationConfig(build_data_docs=False),
    )  # fmt: skip
    with empty_warehouse(night.warehouse_path) as con:
        con.execute("set variable time_zone = 'Europe/Berlin'")
        ingest_feeds(con, night)
        validate_feeds(con, night)
        yield con


@pytest.fixture(scope="module")
def planted(lived_home: Path) -> pl.DataFrame:
    files = lived_home.glob("truth/*/planted/*.parquet")
    return pl.concat(pl.read_parquet(file) for file in files)


def test_every_planted_row_is_set_aside_and_nothing_else(
    night: duckdb.DuckDBPyConnection, planted: pl.DataFrame
) -> None:
    erased = [user for (user,) in night.execute("select user_hash from ops.erased_users").fetchall()]
    hashed = pl.col("user_id").map_elements(lambda user: hashlib.sha256(user.encode()).hexdigest(), pl.String)
    # What an erased user did is gone before it is judged; their orders stay, as nobody's.
    is_gone = pl.col("table_name").is_in(["behaviour_events", "service_tickets"]) & hashed.is_in(erased)
    expected = planted.filter(pl.col("is_quarantined") & ~is_gone.fill_null(False))
    found = night.execute("select table_name, row_key, broken_rules from ops.quarantined_rows").fetchall()
    assert sorted(found) == sorted(expected.select("table_name", "row_key", "broken_rule").rows())
    assert expected.select("table_name", "broken_rule").n_unique() >= 6


def test_no_critical_rule_is_broken_by_anything_but_dirt(
    night: duckdb.DuckDBPyConnection, planted: pl.DataFrame
) -> None:
    broken = night.execute(
        "select table_name, rule from ops.quality_checks where not is_passed and severity = 'critical'"
    ).fetchall()
    assert set(broken) <= set(planted.select("table_name", "broken_rule").rows())


def test_rows_that_come_again_replace_older_ones(night: duckdb.DuckDBPyConnection, lived_home: Path) -> None:
    landed = pl.concat(pl.read_parquet(file) for file in lived_home.glob("landing/*/orders/*.parquet"))
    true_orders = landed.filter(~pl.col("order_id").str.contains("-")).sort("order_id")
    newest = true_orders.group_by("order_id").len()
    assert newest["len"].max() > 1
    assert night.execute("select count(*) from raw.orders").fetchall() == [(len(newest),)]
    # No line is delivered before it was shipped: the skewed clocks of earlier days were corrected.
    skewed = night.execute(
        """select count(*) from raw.order_lines join ops.loads on load_id = _load_id
        where delivered_at < shipped_at and input_name not like $1""",
        [f"%{AS_OF - timedelta(days=1)}%"],
    ).fetchall()
    assert skewed == [(0,)]


def test_every_feed_is_known_to_the_contracts_and_lands(night: duckdb.DuckDBPyConnection) -> None:
    landed = {feed for (feed,) in night.execute("select distinct feed from ops.loads").fetchall()}
    assert landed == FEEDS_OF_SYSTEMS
    assert night.execute("select count(*) from ops.loads where unknown_columns is not null").fetchall() == [(0,)]


def test_an_earlier_night_gets_what_had_landed(lived_home: Path) -> None:
    earlier = AS_OF - timedelta(days=20)
    with duckdb.connect() as con:
        source = open_source(SOURCE, earlier, lived_home)
        names = [item.name for table in FEEDS for item in source.inputs(con, table.name)]
        later = open_source(SOURCE, AS_OF, lived_home)
        more = [item.name for table in FEEDS for item in later.inputs(con, table.name)]
    assert max(Path(name).name[:10] for name in names) == f"{earlier - timedelta(days=1)}"
    assert set(names) < set(more)
    assert f"orders/{AS_OF - timedelta(days=1)}.parquet" in more


def test_the_shop_lives_only_what_it_has_not_lived(lived_home: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    shutil.copytree(lived_home, home)
    before = _hashes(home)
    assert live(home, AS_OF) == live(home, AS_OF - timedelta(days=30)) == []
    assert _hashes(home) == before
    assert live(home, AS_OF + timedelta(days=2)) == [
        f"The demo shop lives {AS_OF}",
        f"The demo shop lives {AS_OF + timedelta(days=1)}",
    ]
    after = _hashes(home)
    changed = {name for name in before if after[name] != before[name]}
    assert all(name.startswith("truth/") and name.count("/") == 2 for name in changed), changed


def test_a_killed_life_goes_on_to_the_same_bytes(
    lived_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        pass

    lived = World.live

    def die(world: World, decisions: Decisions | None = None) -> Day:
        if world.today == date(2026, 2, 13):
            raise Killed
        return lived(world, decisions)

    monkeypatch.setattr(World, "live", die)
    with pytest.raises(Killed):
        live(tmp_path, AS_OF)
    (part,) = tmp_path.glob("landing/*/orders/2026-02-12.parquet")
    part.write_bytes(b"PAR1")
    monkeypatch.undo()
    # The state of the thirtieth day was saved, so the first weeks are not lived again.
    assert live(tmp_path, AS_OF)[0] == "The demo shop lives 2026-02-04"
    assert _hashes(tmp_path) == _hashes(lived_home)


def test_a_state_of_another_version_is_named(lived_home: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    shutil.copytree(lived_home, home)
    (state,) = home.glob("truth/*/world/*.npz")
    state.write_bytes(b"of another version")
    with pytest.raises(FeedError, match="another version") as caught:
        live(home, AS_OF + timedelta(days=1))
    assert "delete" in caught.value.remedy


def test_the_truth_lies_outside_the_landing_folder(lived_home: Path) -> None:
    landed = {path.name for path in lived_home.glob("landing/*/*")}
    assert landed == FEEDS_OF_SYSTEMS
    true = {path.name for path in lived_home.glob("truth/*/*")}
    assert {"world", "ledger", "planted"} < true
