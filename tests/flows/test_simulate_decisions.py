"""What the shop takes over from a release, on hand-made tables."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import duckdb
import polars as pl
import pytest

from flows.simulate_decisions import published_decisions
from tests.landing import empty_warehouse
from warehouse.sources.demo_shop.intentions import planned_prices, running_campaign
from warehouse.sources.demo_shop.sizes import SIZES
from warehouse.sources.demo_shop.world import World

TABLES = (
    "price_recommendations", "product_recommendations", "replenishment_recommendations",
    "promotion_recommendations", "service_forecasts", "order_contact_risks",
)  # fmt: skip


@pytest.fixture(scope="module")
def world() -> World:
    return World.create(SIZES["tiny"], 1)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "published.duckdb"


@pytest.fixture
def con(path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """A published file with every table empty, read by its `_latest` names."""
    with empty_warehouse(path) as con:
        for table in TABLES:
            con.execute(f"create or replace table predictions.{table}_latest as from predictions.{table}")
        yield con


def insert(con: duckdb.DuckDBPyConnection, table: str, rows: str) -> None:
    con.execute(f"insert into predictions.{table}_latest by name {rows}")


def decide(con: duckdb.DuckDBPyConnection, path: Path, world: World) -> dict[str, pl.DataFrame | None]:
    con.close()
    return vars(published_decisions(path, world))


def test_a_release_that_says_nothing_leaves_everything_to_habit(
    con: duckdb.DuckDBPyConnection, path: Path, world: World
) -> None:
    assert set(decide(con, path, world).values()) == {None}


def test_a_price_moves_by_the_published_ratio_from_what_was_planned(
    con: duckdb.DuckDBPyConnection, path: Path, world: World
) -> None:
    planned = dict(planned_prices(world).iter_rows())
    first, second, third = list(planned)[:3]
    insert(
        con,
        "price_recommendations",
        f"""select * from (values ('{first}', 4.00, 4.40, 'auto_apply'), ('{second}', 4.00, 4.40, 'needs_review'),
        ('{third}', 4.00, 4.00, 'hold')) as rows (product_id, current_price, recommended_price, review_status)""",
    )
    prices = decide(con, path, world)["prices"]
    assert prices is not None
    assert prices.rows() == [(first, pytest.approx(planned[first] * 1.1, abs=0.005))]


def test_lists_orders_and_messages_are_taken_as_published(
    con: duckdb.DuckDBPyConnection, path: Path, world: World
) -> None:
    insert(
        con,
        "product_recommendations",
        """select * from (values ('for_you', 'u', 1, 'a'), ('buy_again', 'u', 1, 'b'), ('popular', 'everyone', 1, 'c'))
        as rows (placement, user_id, rank, product_id)""",
    )
    insert(
        con,
        "replenishment_recommendations",
        """select * from (values ('a', 'all', 11.5), ('b', 'S10', 0))
        as rows (product_id, site_id, recommended_order_units)""",
    )
    insert(
        con,
        "order_contact_risks",
        "select * from (values ('o1', true), ('o2', false)) as rows (order_id, is_message_worthwhile)",
    )
    decided = decide(con, path, world)
    parts = {name: decided[name].rows() for name in ("lists", "orders", "messages")}  # type: ignore[union-attr]
    assert parts == {
        "lists": [("u", 1, "a"), ("everyone", 1, "c")],
        "orders": [("a", "all", 12)],
        "messages": [("o1",)],
    }


def test_nothing_to_order_is_a_decision_too(con: duckdb.DuckDBPyConnection, path: Path, world: World) -> None:
    insert(
        con,
        "replenishment_recommendations",
        "select 'a' as product_id, 'all' as site_id, 0 as recommended_order_units",
    )
    orders = decide(con, path, world)["orders"]
    assert orders is not None and orders.is_empty()


def test_only_the_campaign_of_today_is_offered(con: duckdb.DuckDBPyConnection, path: Path) -> None:
    world = World.create(SIZES["tiny"], 1)
    world.state.day = 20
    running = running_campaign(world)
    insert(
        con,
        "promotion_recommendations",
        f"""select * from (values ('u1', '{running}', true), ('u2', '{running}', false), ('u3', 'another', true))
        as rows (user_id, promotion_id, is_recommended)""",
    )
    offers = decide(con, path, world)["offers"]
    assert offers is not None and offers.rows() == [("u1", running)]


@pytest.mark.parametrize(("contacts", "hours", "agents"), [(0.0, 0.0, 0), (10.0, 2.0, 1), (100.0, 40.0, 5)])
def test_agents_cover_the_work_of_today(
    con: duckdb.DuckDBPyConnection, path: Path, world: World, contacts: float, hours: float, agents: int
) -> None:
    half = f"date '{world.today}', {contacts / 2}, {hours / 2}"
    insert(
        con,
        "service_forecasts",
        f"""select * from (values ({half}, 'chat'), ({half}, 'email'), (date '{date.max}', 999, 999, 'chat'))
        as rows (forecast_date, contacts_mean, workload_hours, channel)""",
    )
    decided = decide(con, path, world)["agents"]
    assert decided is not None and decided.rows() == [("pooled", agents)]
