"""What is true shows in what happens, and the chances that the truth states are those with which things happen."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from mtl_models.metrics import auc
from tests.demo_shop.conftest import Lived
from warehouse.sources.demo_shop import laws
from warehouse.sources.demo_shop.luck import Luck
from warehouse.sources.demo_shop.names import ids
from warehouse.sources.demo_shop.sizes import SIZES
from warehouse.sources.demo_shop.world import World


def test_dearer_means_less_demand(lived: Lived) -> None:
    demand = lived.world.expected_demand()
    planned = lived.days[-1].truth["demand"].unique("product_id").select("product_id", "price")
    dearer = lived.world.expected_demand(planned.with_columns(price=pl.col("price") * 1.5))
    both = demand.join(dearer, on=["product_id", "site_id"], suffix="_dearer").filter(pl.col("expected_units") > 0.001)
    assert len(both) > 100
    assert (both["expected_units_dearer"] < both["expected_units"]).mean() > 0.95
    assert both["expected_units_dearer"].sum() < 0.7 * both["expected_units"].sum()


def test_elasticities_are_those_of_expected_demand(lived: Lived) -> None:
    """A product of each subcategory a little dearer: its demand falls by its elasticity."""
    world = lived.world
    chosen = np.unique(world.shop.catalogue.subcategory, return_index=True)[1]
    products = pl.DataFrame({"product_id": ids("product", chosen), "price": world.state.shelf_price[chosen] / 100})
    products = products.join(world.truth()["products"].drop_nulls("elasticity"), on="product_id", maintain_order="left")
    units = [_units(world, products, ratio) for ratio in (1.0, 1.05)]
    is_bought = units[0] > 0.02
    measured = np.log(units[1][is_bought] / units[0][is_bought]) / np.log(1.05)
    stated = products["elasticity"].to_numpy()[is_bought]
    assert is_bought.sum() > 15
    assert np.corrcoef(measured, stated)[0, 1] > 0.9
    assert measured.mean() == pytest.approx(stated.mean(), abs=0.2)


def _units(world: World, products: pl.DataFrame, ratio: float) -> np.ndarray:
    """Expected units of the products when these prices, to the cent, are that many times as high."""
    demand = world.expected_demand(products.select("product_id", price=pl.col("price") * ratio))
    units = demand.group_by("product_id").agg(pl.col("expected_units").sum())
    return (
        products.join(units, on="product_id", how="left", maintain_order="left")["expected_units"]
        .fill_null(0)
        .to_numpy()
    )


def test_expected_demand_is_what_is_wanted_on_average(lived: Lived) -> None:
    demand = lived.truth("demand")
    assert demand["uncensored_units"].sum() == pytest.approx(demand["expected_units"].sum(), rel=0.05)
    by_product = demand.group_by("product_id").agg(pl.col("uncensored_units", "expected_units").sum())
    assert np.corrcoef(by_product["uncensored_units"], by_product["expected_units"])[0, 1] > 0.95


def test_late_orders_lead_to_more_contacts(lived: Lived) -> None:
    lines = lived.feed("order_lines").unique("order_id", keep="last").drop_nulls("delivered_at")
    late = lines.with_columns(is_late=pl.col("delivered_at").dt.date() > pl.col("promised_delivery_date"))
    tickets = lived.feed("service_tickets").drop_nulls("order_id").select("order_id").unique()
    contacted = late.with_columns(is_contacted=pl.col("order_id").is_in(tickets["order_id"].implode()))
    rates = dict(contacted.group_by("is_late").agg(pl.col("is_contacted").mean()).iter_rows())
    assert rates[True] > 2 * rates[False] > 0


def test_good_products_are_rated_better(lived: Lived) -> None:
    reviews = lived.feed("behaviour_events").drop_nulls("rating").select("product_id", "rating")
    quality = lived.world.truth()["products"].select("product_id", "quality_class")
    means = dict(
        reviews.join(quality, on="product_id").group_by("quality_class").agg(pl.col("rating").mean()).iter_rows()
    )
    assert means["bad"] < means["medium"] < means["good"]


def test_chances_of_orders_and_users_come_true() -> None:
    """What was expected on many mornings against what then happened."""
    world, horizon = World.create(SIZES["tiny"], 8), 7
    for _ in range(30):
        world.live()
    expected, seen = {"contact": 0.0, "purchase": 0.0}, {"contact": 0, "purchase": 0}
    for _ in range(6):
        open_orders = world.order_chances(horizon)["order_id"].implode()
        expected["contact"] += world.order_chances(horizon)["contact_probability"].sum()
        expected["purchase"] += world.purchase_chances(horizon)["purchase_probability"].sum()
        days = [world.live() for _ in range(horizon)]
        tickets = pl.concat([day.feeds["service_tickets"] for day in days]).unique("ticket_id")
        buyers = pl.concat([day.feeds["orders"].filter(pl.col("status") == "placed") for day in days])
        seen["contact"] += tickets.filter(pl.col("order_id").is_in(open_orders)).height
        seen["purchase"] += buyers["user_id"].n_unique()
    assert seen["contact"] == pytest.approx(expected["contact"], rel=0.35)
    assert seen["purchase"] == pytest.approx(expected["purchase"], rel=0.08)


@pytest.mark.parametrize(("days_so_far", "horizon"), [(0, 1), (0, 28), (3, 5), (14, 28)])
def test_a_conditional_chance_is_the_share_of_those_who_are_left(days_so_far: int, horizon: int) -> None:
    chance, speed, longest = 0.3, 0.4, 14
    luck, who = Luck(1, 1), np.arange(400_000)
    wait = np.minimum(luck.waiting("wait", speed, who), longest)
    wait = np.where(luck.uniform("at all", who) < chance, wait, 10_000)
    left = wait >= days_so_far
    drawn = np.mean(wait[left] < days_so_far + horizon)
    stated = laws.still_to_come(np.array([chance]), speed, np.array([days_so_far]), longest, horizon)
    assert stated[0] == pytest.approx(drawn, abs=0.005)


def test_lead_times_follow_their_law(lived: Lived) -> None:
    suppliers = lived.world.truth()["suppliers"]
    lines = lived.feed("purchase_order_lines").drop_nulls("received_at").join(suppliers, on="supplier_id")
    days = (pl.col("received_at").dt.date() - pl.col("ordered_at").dt.date()).dt.total_days()
    within = lines.filter(pl.col("ordered_at").dt.date() < lived.days[-30].date).select(
        p50=(days <= pl.col("lead_time_days_p50")).mean(), p90=(days <= pl.col("lead_time_days_p90")).mean()
    )
    assert 0.45 < within["p50"].item() < 0.85
    assert 0.85 < within["p90"].item() < 0.99


def test_luck_is_uniform_and_independent_of_the_order_of_asking() -> None:
    luck, who = Luck(2, 5), np.arange(100_000)
    draw = luck.uniform("visits", who)
    assert draw.min() > 0 and draw.max() < 1
    assert np.histogram(draw, 20, (0, 1))[0] == pytest.approx(5_000, rel=0.06)
    assert np.array_equal(draw[500:600], luck.uniform("visits", who[500:600]))
    assert abs(np.corrcoef(draw, luck.uniform("mission", who))[0, 1]) < 0.01
    assert abs(np.corrcoef(draw[1:], draw[:-1])[0, 1]) < 0.01


def test_visits_tell_who_is_still_there_and_no_more(lived: Lived) -> None:
    """Of users with a chance to be active, so many are; and those who are gone have the smaller ones."""
    state = lived.world.state
    here = state.is_active[~state.is_erased].astype(float)
    presence = state.presence[~state.is_erased]
    luck = np.sqrt((presence * (1 - presence)).sum())
    assert abs(here.sum() - presence.sum()) < 3 * luck
    assert presence.min() > 0 and presence.max() < 1
    assert auc(here, presence) > 0.8
