"""The closed loop on the smallest shop: nights rule days, days feed nights, and a kill changes nothing."""

from __future__ import annotations

import shutil
from datetime import date
from pathlib import Path
from xml.etree import ElementTree

import duckdb
import numpy as np
import polars as pl
import pytest

from flows.settings import Settings, load_settings
from flows.simulate import MixedSettings, Simulation, run_simulation
from flows.simulate_chart import line_chart
from flows.simulate_compare import Comparison, gap_closed
from tests.flows.conftest import TINY
from warehouse.sources.demo_shop.life import Life
from warehouse.sources.demo_shop.spec import ShopSpec

POLICIES = ("joint", "rules", "oracle", "hold")
SPEC = ShopSpec.parse("tiny?seed=1")


def simulation(home: Path, nights: int = 2) -> Simulation:
    settings: Settings = load_settings(home=home, **TINY)
    return Simulation(settings=settings, spec=SPEC, nights=nights)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def comparison(prefect_server: str, home: Path) -> Comparison:
    """Two nights under every policy. Look, but do not simulate on here."""
    return run_simulation(simulation(home), POLICIES, is_quiet=True)


def test_every_policy_lives_the_same_nights(comparison: Comparison) -> None:
    assert tuple(comparison.table["policy"]) == POLICIES
    assert comparison.table["nights"].to_list() == [2] * 4
    assert set(comparison.ledgers["date"]) == {date(2026, 6, 4), date(2026, 6, 5)}
    assert comparison.table["nights_stopped"].sum() == 0


def test_the_table_adds_up_the_ledgers(comparison: Comparison) -> None:
    for row in comparison.table.iter_rows(named=True):
        days = comparison.ledgers.filter(policy=row["policy"])
        assert row["profit"] == pytest.approx(days["profit"].sum())
        assert row["fill_ratio"] == pytest.approx(days["served_units"].sum() / days["demanded_units"].sum())
        assert 0 <= row["list_hit_ratio"] <= 1


def test_each_joint_day_follows_a_night_that_knew_the_day_before(comparison: Comparison, home: Path) -> None:
    with duckdb.connect(str(home / "simulations/demo_shop-tiny-1/joint/warehouse.duckdb"), read_only=True) as con:
        nights = con.execute("select as_of_date, status from ops.runs order by started_at").fetchall()
        newest = con.execute("select max(ordered_at)::date from raw.orders").fetchall()
    assert nights == [(date(2026, 6, 4), "released"), (date(2026, 6, 5), "released")]
    assert newest == [(date(2026, 6, 4),)]


def test_the_result_is_kept_as_files_that_need_nothing_else(comparison: Comparison) -> None:
    table, ledgers, chart = comparison.files
    assert pl.read_csv(table)["policy"].to_list() == list(POLICIES)
    assert pl.read_parquet(ledgers).equals(comparison.ledgers)
    svg = ElementTree.fromstring(chart.read_text())
    assert {"".join(text.itertext()) for text in svg.iter("{http://www.w3.org/2000/svg}text")} >= set(POLICIES)
    assert "http" not in chart.read_text().replace("http://www.w3.org/2000/svg", "")


def test_a_killed_simulation_ends_as_if_nothing_had_happened(
    comparison: Comparison, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        pass

    saved, saves = Life.save, []

    def die(life: Life) -> None:
        saves.append(life.world.today)
        if saves.count(date(2026, 6, 6)) == 2:
            raise Killed
        saved(life)

    folder = tmp_path / "simulations/demo_shop-tiny-1"
    shutil.copytree(home / "simulations/demo_shop-tiny-1/history", folder / "history")
    cheap = POLICIES[1:]
    monkeypatch.setattr(Life, "save", die)
    with pytest.raises(Killed):
        run_simulation(simulation(tmp_path), cheap, is_quiet=True)
    monkeypatch.undo()
    again = run_simulation(simulation(tmp_path), cheap, is_quiet=True)
    assert again.ledgers.equals(comparison.ledgers.filter(pl.col("policy") != "joint"))
    for policy in cheap:
        assert _landed(folder / policy) == _landed(home / "simulations/demo_shop-tiny-1" / policy)


def test_more_nights_go_on_from_the_last(comparison: Comparison, home: Path, tmp_path: Path) -> None:
    shutil.copytree(home / "simulations/demo_shop-tiny-1/history", tmp_path / "simulations/demo_shop-tiny-1/history")
    shutil.copytree(home / "simulations/demo_shop-tiny-1/rules", tmp_path / "simulations/demo_shop-tiny-1/rules")
    longer = run_simulation(simulation(tmp_path, nights=3), ["rules"], is_quiet=True)
    assert longer.ledgers["date"].to_list() == [date(2026, 6, 4), date(2026, 6, 5), date(2026, 6, 6)]
    assert longer.ledgers.head(2).equals(comparison.ledgers.filter(policy="rules"))


def test_nights_under_other_settings_are_not_mixed(comparison: Comparison, home: Path) -> None:
    other = load_settings(home=home, **TINY, validation={"quarantine_row_limit": 7})
    with pytest.raises(MixedSettings, match="other settings"):
        run_simulation(Simulation(settings=other, spec=SPEC, nights=3), ["joint"], is_quiet=True)
    again = run_simulation(simulation(home), POLICIES, is_quiet=True)
    assert again.table.equals(comparison.table)


def _landed(folder: Path) -> dict[str, bytes]:
    files = [file for file in (folder / "landing").rglob("*") if file.is_file()]
    return {file.relative_to(folder).as_posix(): file.read_bytes() for file in files}


@pytest.mark.parametrize(
    ("profits", "share"),
    [
        ({"joint": 140.0, "rules": 100.0, "oracle": 200.0}, 0.4),
        ({"joint": 90.0, "rules": 100.0, "oracle": 200.0}, -0.1),
        ({"joint": 140.0, "rules": 100.0}, None),
        ({"joint": 140.0, "rules": 100.0, "oracle": 100.0}, None),
        ({"joint": 140.0, "rules": 100.0, "oracle": 90.0}, None),
    ],
)
def test_the_share_of_the_gap_that_is_closed(profits: dict[str, float], share: float | None) -> None:
    assert gap_closed(profits, "joint") == pytest.approx(share)


@pytest.mark.parametrize("values", [[0.0], [5.0, -3.0, 8.0], [1e6, 2e6], [0.001, 0.002]])
def test_a_chart_holds_every_value_within_its_frame(values: list[float]) -> None:
    days = [f"2026-06-{day:02d}" for day in range(1, len(values) + 1)]
    lines = {"one": np.array(values), "two <&>": np.array(values)}
    svg = ElementTree.fromstring(line_chart("Profit", "EUR", days, lines))
    drawn = [line.get("points", "").split() for line in svg.iter("{http://www.w3.org/2000/svg}polyline")]
    assert [len(points) for points in drawn] == [len(values)] * 2
    heights = [float(point.split(",")[1]) for point in drawn[0]]
    assert all(0 <= height <= 420 for height in heights)
    assert np.array_equal(np.argsort(heights), np.argsort(-np.array(values)))
    labels = {
        "".join(text.itertext()): float(text.get("y", 0)) for text in svg.iter("{http://www.w3.org/2000/svg}text")
    }
    assert abs(labels["one"] - labels["two <&>"]) >= 15


def test_the_remains_of_a_home_do_not_begin_a_shop_of_their_own(prefect_server: str, home: Path, tmp_path: Path):
    """Removed by hand while it was written to: folders are left, and no shop."""
    one = simulation(tmp_path, nights=1)
    (one.folder / "rules" / "landing" / SPEC.name / "orders").mkdir(parents=True)
    shutil.copytree(simulation(home).folder / "history", one.folder / "history")
    compared = run_simulation(one, ("rules",), is_quiet=True)
    assert compared.table["nights"].to_list() == [1]
    assert Life(SPEC, one.folder / "rules").world.today == one.end
