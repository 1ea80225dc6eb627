"""Decisions are carried out as they were made, or refused as a whole."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from warehouse.sources.demo_shop.decisions import DecisionError, Decisions
from warehouse.sources.demo_shop.oracle import hold, oracle
from warehouse.sources.demo_shop.sizes import SIZES
from warehouse.sources.demo_shop.world import World

TINY = SIZES["tiny"]


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny shop after a fortnight: a campaign begins today."""
    shop, folder = World.create(TINY, 9), tmp_path_factory.mktemp("world")
    for _ in range(14):
        shop.live()
    shop.save(folder)
    return folder


@pytest.fixture
def world(saved: Path) -> World:
    return World.load(saved)


def first_products(world: World, count: int) -> list[str]:
    return world.expected_demand()["product_id"].unique().sort()[:count].to_list()


def test_a_price_is_the_price_and_keeps_its_ratio(world: World) -> None:
    (product,) = first_products(world, 1)
    day = world.live(Decisions(prices=pl.DataFrame({"product_id": [product], "price": [77.77]})))
    lies = day.truth["demand"].filter(pl.col("product_id") == product)["price"].unique().to_list()
    assert lies == [77.77]
    assert world.live().truth["demand"].filter(pl.col("product_id") == product)["price"].min() > 20


def test_lists_are_shown(world: World) -> None:
    products = first_products(world, 3)
    lists = pl.DataFrame({"user_id": ["everyone"] * 3, "rank": [1, 2, 3], "product_id": products})
    events = world.live(Decisions(lists=lists)).feeds["behaviour_events"].drop_nulls("recommendation_id")
    assert set(events["product_id"]) == set(products)
    assert set(events["recommendation_id"]) == {f"for_you/everyone/{rank}" for rank in (1, 2, 3)}


def test_an_order_for_all_sites_is_split_and_rounded_up_to_the_pack(world: World) -> None:
    products = first_products(world, 40)
    orders = pl.DataFrame({"product_id": products, "site_id": "all", "units": 30})
    lines = world.live(Decisions(orders=orders)).feeds["purchase_order_lines"].filter(pl.col("received_at").is_null())
    terms = World.create(TINY, 9).opening()["supplier_products"]
    ordered = lines.join(terms, on=["supplier_id", "product_id"])
    units = ordered.group_by("product_id").agg(pl.col("quantity_submitted").sum())
    assert set(units["product_id"]) == set(products)
    assert units["quantity_submitted"].min() >= 30
    assert (ordered["quantity_submitted"] % ordered["order_multiple_units"] == 0).all()
    assert (ordered["quantity_submitted"] >= ordered["minimum_order_units"]).all()


def test_nothing_is_ordered_when_nothing_is_decided_to_be(world: World) -> None:
    nothing = pl.DataFrame({"product_id": [], "site_id": [], "units": []})
    assert world.live(Decisions(orders=nothing)).ledger["ordering_cost"] == 0


def test_an_offer_reaches_those_who_may_be_written_to(world: World) -> None:
    users = pl.DataFrame({"user_id": [f"U{10**7 + number}" for number in range(100)], "campaign_id": "C1000"})
    day = world.live(Decisions(offers=users))
    consents = World.create(TINY, 9).opening()["users"].filter("has_marketing_consent")["user_id"]
    offered = day.feeds["campaign_targets"]["user_id"]
    assert set(offered) <= set(consents)
    assert len(offered) + day.ledger["refused_offers"] == 100


def test_agents_cost_wages_and_save_waiting(saved: Path) -> None:
    waiting = {}
    for staff in ({"email": 1, "chat": 1, "phone": 2}, {"pooled": 0}):
        agents = pl.DataFrame({"channel": list(staff), "agents": list(staff.values())})
        world = World.load(saved)
        days = [world.live(Decisions(agents=agents)).ledger for _ in range(6)]
        assert sum(day["contacts"] for day in days) > 0
        assert {day["wages"] for day in days} == {160.0 * sum(staff.values())}
        waiting["pooled" in staff] = max(day["mean_waiting_minutes"] for day in days)
    assert waiting[True] > 300 > waiting[False]


def test_a_message_goes_once_to_whoever_waits(world: World) -> None:
    orders = world.order_chances().select("order_id")
    first, again = (world.live(Decisions(messages=orders)).ledger["messages"] for _ in range(2))
    assert 0 < first < len(orders)
    assert again == 0


@pytest.mark.parametrize(
    ("part", "rows", "message"),
    [
        ("prices", {"product_id": ["P1"], "price": [1.0]}, "product_id 'P1', which the shop does not know"),
        ("prices", {"product_id": ["P1000000"], "price": [0.0]}, "price is less than 0.005"),
        ("prices", {"product_id": ["P1000000"]}, "lacks the column price"),
        ("prices", {"product_id": ["P1000000"] * 2, "price": [1.0, 2.0]}, "twice"),
        ("lists", {"user_id": ["U1"], "rank": [1], "product_id": ["P1000000"]}, "user_id 'U1'"),
        ("orders", {"product_id": ["P1000000"], "site_id": ["S99"], "units": [1]}, "site_id 'S99'"),
        ("offers", {"user_id": ["U10000000"], "campaign_id": ["C9"]}, "campaign_id 'C9'"),
        ("agents", {"channel": ["fax"], "agents": [1]}, "channel 'fax'"),
        ("messages", {"order_id": ["O1"]}, "order_id 'O1'"),
    ],
)
def test_what_cannot_be_done_is_refused_before_anything_happens(
    world: World, part: str, rows: dict[str, list[object]], message: str
) -> None:
    today, on_hand = world.today, world.state.on_hand.copy()
    with pytest.raises(DecisionError, match=message):
        world.live(Decisions(**{part: pl.DataFrame(rows)}))
    assert world.today == today
    assert np.array_equal(world.state.on_hand, on_hand)


def test_hold_changes_no_price(world: World) -> None:
    before = world.state.shelf_price.copy()
    sold = world.shop.catalogue.is_sold(world.state.day)
    world.live(hold(world))
    assert np.array_equal(world.state.shelf_price[sold], before[sold])


def test_whoever_knows_the_truth_earns_more(saved: Path) -> None:
    worlds = World.load(saved), World.load(saved)
    rules, knowing = (
        sum(world.live(decide(world)).ledger["profit"] for _ in range(10))
        for world, decide in zip(worlds, (lambda _: None, oracle), strict=True)
    )
    assert knowing > rules
