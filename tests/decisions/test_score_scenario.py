"""A scenario over the tiny decided shop: nothing changes nothing, demand falls in price, the night's grid agrees."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from flows.what_if_words import read_question
from tasks.decide_actions import decide_actions
from tasks.scenarios.question import ScenarioError
from tasks.scenarios.score import COMPARED, ScenarioReport, score_scenario
from tests.decisions.conftest import tiny_night
from tests.decisions.rules import STOCK
from warehouse.connect import open_overlay, open_warehouse
from warehouse.contracts import PUBLISHED_TABLES

OF_THE_RUN = ("run_id", "predicted_at")


@pytest.fixture(scope="module")
def home(decided_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The decided shop, with stock that a lower price uses up."""
    night = tiny_night(tmp_path_factory.mktemp("scenarios"))
    shutil.copy(decided_file, night.warehouse_path)
    with open_warehouse(night.warehouse_path, threads=2) as con:
        con.execute(STOCK)
        decide_actions(con, night)
    return night.home


@pytest.fixture
def overlay(home: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    with open_overlay(home / "warehouse.duckdb", spill_folder=home / "spill", threads=2) as con:
        yield con


def ask(con: duckdb.DuckDBPyConnection, home: Path, *prices: str) -> ScenarioReport:
    return score_scenario(con, tiny_night(home), read_question(prices, []))


def columns(table) -> str:
    return ", ".join(name for name in table.column_names if name not in OF_THE_RUN)


def test_nothing_changes_nothing(overlay: duckdb.DuckDBPyConnection, home: Path) -> None:
    assert ask(overlay, home).broken_promises == ()
    for table in PUBLISHED_TABLES:
        both = [f"select {columns(table)} from {catalog}predictions.{table.name}" for catalog in ("night.", "")]
        for first, second in (both, both[::-1]):
            assert overlay.execute(f"{first} except all {second}").fetchall() == [], table.name
    found = {name: overlay.execute(f"from temp.scenario_{name}").fetchall() for name in COMPARED}
    assert [name for name, rows in found.items() if rows] == ["summaries"]
    (sums,) = overlay.execute(
        """select demand_units_night = demand_units_scenario and margin_night = margin_scenario
            and order_units_night = order_units_scenario and listed_purchases_night = listed_purchases_scenario
        from temp.scenario_summaries"""
    ).fetchall()
    assert sums == (True,)


def test_what_a_scenario_writes_is_not_in_the_warehouse(overlay: duckdb.DuckDBPyConnection, home: Path) -> None:
    before = (home / "warehouse.duckdb").read_bytes()
    ask(overlay, home, "product-6=1.69")
    assert overlay.execute("select count(*) from night.raw.decisions").fetchall() == [(0,)]
    with pytest.raises(duckdb.Error, match="read-only"):
        overlay.execute("delete from night.predictions.action_queue")
    assert (home / "warehouse.duckdb").read_bytes() == before


@pytest.mark.parametrize("product", ["product-6", "product-30", "product-45", "product-5"])
def test_demand_falls_in_price_and_with_it_what_is_ordered(home: Path, product: str) -> None:
    """Products with and without stock, costs and an identified elasticity."""
    found = []
    for ratio in (0.6, 0.8, 0.95, 1.0, 1.05, 1.3, 2.0):
        with open_overlay(home / "warehouse.duckdb", spill_folder=home / "spill", threads=2) as con:
            night = "night.predictions.price_recommendations"
            ((current,),) = con.execute(
                f"select current_price from {night} where product_id = $1", [product]
            ).fetchall()
            ask(con, home, f"{product}={float(current) * ratio:.2f}")
            found += con.execute(
                """select price_scenario, demand_units_scenario, reorder_point_units
                from temp.scenario_products
                join predictions.replenishment_recommendations using (product_id)
                where product_id = $1""",
                [product],
            ).fetchall()
            # Others keep their price and demand.
            assert con.execute("select distinct product_id from temp.scenario_demand").fetchall() in ([], [(product,)])
    prices, units, levels = zip(*found, strict=True)
    assert len(found) == 7 and list(prices) == sorted(prices)
    assert list(units) == sorted(units, reverse=True) and units[0] > units[-1]
    assert list(levels) == sorted(levels, reverse=True)


def test_the_nights_own_recommendation_is_no_change(overlay: duckdb.DuckDBPyConnection, home: Path) -> None:
    chosen = overlay.execute(
        """select product_id, recommended_price, expected_units, expected_margin
        from night.predictions.price_recommendations as prices
        join night.predictions.price_responses as grid using (product_id)
        where review_status = 'auto_apply' and grid.price = recommended_price order by product_id"""
    ).fetchall()
    assert len(chosen) > 3
    ask(overlay, home, *(f"{product}={price}" for product, price, _, _ in chosen))
    assert overlay.execute("from temp.scenario_demand").fetchall() == []
    told = overlay.execute(
        """select product_id, price_scenario, demand_units_scenario, margin_scenario
        from temp.scenario_products order by product_id"""
    ).fetchall()
    assert [row[:2] for row in told] == [row[:2] for row in chosen]
    for (*_, units, margin), (*_, grid_units, grid_margin) in zip(told, chosen, strict=True):
        assert units == pytest.approx(grid_units) and margin == pytest.approx(grid_margin, abs=1e-2)


def test_every_price_of_the_grid_sells_what_the_grid_says(overlay: duckdb.DuckDBPyConnection, home: Path) -> None:
    """One allowed price of each product that has one beside the current, all asked at once."""
    grid = overlay.execute(
        """select product_id, max(price), arg_max(expected_units, price), arg_max(expected_revenue, price)
        from night.predictions.price_responses
        join night.predictions.price_recommendations using (product_id)
        where price <> current_price and price <> recommended_price and product_id <> 'product-9'
        group by product_id order by product_id"""
    ).fetchall()
    ask(overlay, home, *(f"{product}={price}" for product, price, _, _ in grid))
    told = overlay.execute(
        "select product_id, price_scenario, demand_units_scenario, revenue_scenario "
        "from temp.scenario_products order by product_id"
    ).fetchall()
    assert len(told) == len(grid) > 40
    for (product, price, units, revenue), expected in zip(told, grid, strict=True):
        assert (product, price) == expected[:2]
        assert units == pytest.approx(expected[2]) and revenue == pytest.approx(expected[3], rel=1e-4)


def test_a_price_beyond_a_guardrail_is_answered_and_names_it(overlay: duckdb.DuckDBPyConnection, home: Path) -> None:
    ask(overlay, home, "product-12=9.99")
    assert overlay.execute("select overruled_guardrail from temp.scenario_products").fetchall() == [
        ("maximum_change_ratio (settings)",)
    ]


@pytest.mark.parametrize(
    ("price", "words"),
    [
        ("product-99=1", "there is no product product-99; did you mean product-9.*Remedy"),
        ("product-8=1", "product-8 is not on sale"),
        ("product-9=1", "product-9 has a locked price"),
        ("product-11=1", "product-11 has no price that could change"),
    ],
)
def test_a_price_that_cannot_be_set_says_why(
    overlay: duckdb.DuckDBPyConnection, home: Path, price: str, words: str
) -> None:
    with pytest.raises(ScenarioError, match=words):
        ask(overlay, home, price)


def test_without_the_head_there_is_no_answer(overlay: duckdb.DuckDBPyConnection, home: Path) -> None:
    overlay.execute("create table scenario.ops.head_status as from night.ops.head_status")
    overlay.execute("update ops.head_status set status = 'not_released', reason = 'loses' where head = 'supply'")
    with pytest.raises(ScenarioError, match=r"supply is not released .*\(loses\).*Remedy"):
        ask(overlay, home, "product-6=1.69")
