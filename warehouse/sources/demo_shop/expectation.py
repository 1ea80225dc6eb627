"""What is true of the shop, in expectation over all luck that is still to come."""

from __future__ import annotations

import numpy as np
import polars as pl

from warehouse.sources.demo_shop.arrays import Floats, Ints
from warehouse.sources.demo_shop.carry_out import habitual_prices
from warehouse.sources.demo_shop.market import Market, open_market
from warehouse.sources.demo_shop.names import ids, money, numbers
from warehouse.sources.demo_shop.plan import WEEK, promotions_of_week
from warehouse.sources.demo_shop.shop import Shop
from warehouse.sources.demo_shop.shopping import SEARCH, Visits, consider, visit_chance
from warehouse.sources.demo_shop.state import State
from warehouse.sources.demo_shop.trade import expected_units

# The expectation runs over so many users at most, drawn evenly from all.
SAMPLED_USERS = 40_000
BAD_BELOW, GOOD_FROM = -0.6, 0.6
QUALITY_CLASSES = ("bad", "medium", "good")


def seen_market(shop: Shop, state: State, day: int) -> Market:
    """The market of a coming day as the shop's habits plan it, at the price ratios in force."""
    price, list_price = planned_prices(shop, state, day)
    return open_market(shop, day, price, list_price)


def planned_prices(shop: Shop, state: State, day: int) -> tuple[Ints, Ints]:
    """(P,) shelf and regular prices of a coming day, in cents, if nobody decides anything."""
    plan = promotions_of_week(shop.catalogue, shop.seed, day // WEEK)
    habit, regular = habitual_prices(shop, day, plan.depth)
    price = np.where(state.price_ratio == 1, habit, np.maximum(np.rint(habit * state.price_ratio), 1)).astype(np.int64)
    return price, np.maximum(price, regular)


def expected_demand(shop: Shop, state: State, market: Market) -> Floats:
    """(N, P) mean units wanted on the market's day, whoever comes, as if all were in stock."""
    possible = _possible_visits(shop, state, market)
    return np.sum([expected_units(shop, visits, weight) for visits, weight in possible], axis=0)


def demand_rows(shop: Shop, state: State, prices: pl.DataFrame | None, day: int) -> pl.DataFrame:
    """What `World.expected_demand` returns, for the day of that number."""
    price, list_price = planned_prices(shop, state, day)
    if prices is not None:
        product = numbers("product", prices["product_id"], shop.catalogue.size, "prices")
        price[product] = np.rint(prices["price"].to_numpy() * 100)
    market = open_market(shop, day, price, list_price)
    site, product = np.nonzero(np.broadcast_to(market.is_sold, state.on_hand.shape))
    units = expected_demand(shop, state, market)[site, product]
    return pl.DataFrame({"product_id": ids("product", product), "site_id": ids("site", site), "expected_units": units})


def expected_orders(shop: Shop, state: State, market: Market) -> Floats:
    """(N,) mean orders of the market's day."""
    orders = np.zeros(shop.size.sites)
    for visits, weight in _possible_visits(shop, state, market):
        orders += np.bincount(shop.people.site[visits.user], weight * any_chance(visits), minlength=len(orders))
    return orders.astype(np.float32)


def any_chance(visits: Visits) -> Floats:
    """(V,) chance that at least one product is bought."""
    nothing = np.log1p(-np.minimum(visits.chance, 0.9999))
    nothing[:, SEARCH] = 0
    return 1 - np.exp(nothing.sum(axis=1)) * (1 - visits.chance[:, SEARCH].sum(axis=1))


def _possible_visits(shop: Shop, state: State, market: Market) -> list[tuple[Visits, Floats]]:
    """Every sampled user's visit, once meant to buy and once to look around, and how often each is to be counted."""
    step = -(-shop.people.size // SAMPLED_USERS)
    user, luck = np.arange(0, shop.people.size, step), shop.luck(market.day)
    comes = visit_chance(shop.people, state.is_active, state.is_erased, state.has_coupon, market.day)[user] * step
    buys = shop.people.mission_rate[user]
    return [
        (consider(shop, state, market, luck, user, np.full(len(user), mission)), comes * share)
        for mission, share in ((True, buys), (False, 1 - buys))
    ]


def entities(shop: Shop, state: State) -> dict[str, pl.DataFrame]:
    """name -> rows: products, users, suppliers."""
    return {"products": products(shop, state), "users": users(shop, state), "suppliers": suppliers(shop)}


def products(shop: Shop, state: State) -> pl.DataFrame:
    """One row per product. `elasticity`: of expected units in the own price, averaged over what was considered so far,
    weighted by the chance to buy; empty where nobody considered it."""
    catalogue = shop.catalogue
    weight = state.elasticity_weight.astype(np.float64)
    grade = np.searchsorted([BAD_BELOW, GOOD_FROM], catalogue.quality, side="right")
    return pl.DataFrame(
        {
            "product_id": ids("product", np.arange(catalogue.size)),
            "quality": catalogue.quality,
            "quality_class": pl.Series(QUALITY_CLASSES).gather(grade.astype(np.uint32)),
            "appeal": catalogue.appeal,
            "elasticity": np.divide(state.elasticity_sum, weight, out=np.full(len(weight), np.nan), where=weight > 0),
            "unit_cost": money(catalogue.unit_cost),
        }
    ).with_columns(pl.col("elasticity").fill_nan(None))


def users(shop: Shop, state: State) -> pl.DataFrame:
    """One row per user: rates a day and multipliers, as `people.People` explains them."""
    people = shop.people
    return pl.DataFrame(
        {
            "user_id": ids("user", np.arange(people.size)),
            "visit_rate": people.visit_rate,
            "mission_rate": people.mission_rate,
            "price_sensitivity": people.price_sensitivity,
            "deal_love": people.deal_love,
            "purchasing_power": people.power,
            "contact_rate": people.contact_rate,
            "return_rate": people.return_rate,
            "is_active": state.is_active,
        }
    )


def suppliers(shop: Shop) -> pl.DataFrame:
    """One row per supplier: quantiles of the days from order to receipt."""
    terms, number = shop.catalogue.suppliers, np.arange(shop.size.suppliers)
    return pl.DataFrame(
        {
            "supplier_id": ids("supplier", number),
            "lead_time_days_p50": terms.lead_days(number, 0.5),
            "lead_time_days_p90": terms.lead_days(number, 0.9),
        }
    )
