"""True probabilities of what may happen to open orders and users, given what can be known this morning: whatever luck
has not decided in the open is integrated out, also where fate has already been written down."""

from __future__ import annotations

import numpy as np
import polars as pl

from warehouse.sources.demo_shop import laws, lifecycle
from warehouse.sources.demo_shop.arrays import Floats, Ints, Rows
from warehouse.sources.demo_shop.expectation import any_chance, seen_market
from warehouse.sources.demo_shop.names import ids
from warehouse.sources.demo_shop.shop import Shop
from warehouse.sources.demo_shop.shopping import consider, visit_chance
from warehouse.sources.demo_shop.state import State

OPEN_ORDER_DAYS = 14
# What a user will consider is a matter of luck: this many draws, spread over the horizon, stand for all.
_SAMPLED_DAYS = 6


def order_chances(shop: Shop, state: State, horizon_days: int) -> pl.DataFrame:
    """One row per order of the last 14 days without a ticket so far: order_id, contact_probability (somebody gets in
    touch about it within the horizon, today the first day) and return_probability (a line comes back by then)."""
    orders = state.orders
    orders = orders[(orders["day"] >= state.day - OPEN_ORDER_DAYS) & ~orders["is_contacted"]]
    return pl.DataFrame(
        {
            "order_id": ids("order", orders["number"]),
            "contact_probability": _contact(shop, state, orders, horizon_days),
            "return_probability": _return(shop, state, orders, horizon_days),
        }
    )


def _contact(shop: Shop, state: State, orders: Rows, horizon: int) -> Floats:
    """Follow the parcel day by day: not sent, on its way, or there; whoever waits may ask, whoever has it may have
    trouble."""
    rate = shop.people.contact_rate[orders["user"]]
    yesterday = state.day - 1
    is_there = orders["deliver_day"] <= yesterday
    unsent = ((orders["ship_day"] > yesterday) & ~is_there).astype(float)
    on_its_way = ((orders["ship_day"] <= yesterday) & ~is_there).astype(float)
    contact = np.where(is_there, _after_delivery(orders, rate, state.day, horizon), 0.0)
    for ahead in range(horizon):
        day = state.day + ahead
        late = np.maximum(day - orders["promised_day"], 0)
        arrives = on_its_way * orders["arrive_chance"]
        leaves = unsent * orders["ship_chance"]
        unsent, on_its_way = unsent - leaves, on_its_way - arrives + leaves
        trouble = laws.contact_after_delivery(orders["quality"], late, rate).sum(axis=1)
        contact += arrives * laws.still_to_come(
            trouble, laws.CONTACT_SPEED, np.zeros(len(orders), int), laws.LONGEST_CONTACT_DAYS, horizon - ahead
        )
        where, question = laws.hazard_before_delivery(late, rate, orders["is_messaged"])
        asks = where + (1 - where) * question
        contact += (unsent + on_its_way) * asks
        unsent, on_its_way = unsent * (1 - asks), on_its_way * (1 - asks)
    return contact


def _after_delivery(orders: Rows, rate: Floats, day: int, horizon: int) -> Floats:
    """Contact about a parcel that arrived before today, and was not asked about until now."""
    late = np.maximum(orders["deliver_day"] - orders["promised_day"], 0)
    trouble = laws.contact_after_delivery(orders["quality"], late, rate).sum(axis=1)
    days_so_far = np.maximum(day - orders["deliver_day"], 0)
    return laws.still_to_come(trouble, laws.CONTACT_SPEED, days_so_far, laws.LONGEST_CONTACT_DAYS, horizon)


def _return(shop: Shop, state: State, orders: Rows, horizon: int) -> Floats:
    """1 - the chance that no line comes back; the expected arrival stands for parcels that are not there yet."""
    lines = state.lines[np.isin(state.lines["order"], orders["number"])]
    of = np.searchsorted(orders["number"], lines["order"])
    is_there = lines["deliver_day"] < state.day
    expected = (
        np.where(lines["ship_day"] < state.day, 0, 1 / orders["ship_chance"][of]) + 1 / orders["arrive_chance"][of]
    )
    arrival = np.where(is_there, lines["deliver_day"], state.day + np.rint(expected).astype(int) - 1)
    late = np.maximum(arrival - orders["promised_day"][of], 0)
    catalogue, product = shop.catalogue, lines["product"]
    chance = laws.return_chance(
        catalogue.returns[product], catalogue.quality[product], shop.people.return_rate[lines["user"]], late
    )
    first_possible = arrival + laws.FIRST_RETURN_DAY
    so_far = np.maximum(state.day - first_possible, 0)
    left = np.maximum(horizon - np.maximum(first_possible - state.day, 0), 0)
    is_back = (lines["return_day"] >= 0) & (lines["return_day"] < state.day)
    comes = laws.still_to_come(chance, laws.RETURN_SPEED, so_far, laws.LONGEST_RETURN_DAYS, left)
    comes = np.where(is_back, 0, comes)
    nothing = np.bincount(of, np.log1p(-np.minimum(comes, 0.999)), minlength=len(orders))
    return -np.expm1(nothing)


def purchase_chances(shop: Shop, state: State, horizon_days: int) -> pl.DataFrame:
    """One row per user: user_id, purchase_probability (an order within the horizon, today the first day). Whether
    a user has lapsed is fate that nobody sees: it is known as far as visits show it."""
    user = np.arange(shop.people.size)
    days = np.unique(np.linspace(0, horizon_days - 1, _SAMPLED_DAYS).astype(int))
    per_visit = np.mean([_order_chance(shop, state, state.day + int(ahead), user) for ahead in days], axis=0)
    active, lapsed = (
        np.stack([_visits(shop, state, state.day + ahead, is_active) * per_visit for ahead in range(horizon_days)])
        for is_active in (True, False)
    )
    is_there = state.presence
    is_away = 1 - is_there
    leaves = lifecycle.lapse_hazard(state.annoyance)
    for buys_there, buys_away in zip(active, lapsed, strict=True):
        is_there, is_away = is_there * (1 - buys_there), is_away * (1 - buys_away)
        moved = is_there * leaves - is_away * lifecycle.RETURN_HAZARD
        is_there, is_away = is_there - moved, is_away + moved
    chance = np.where(state.is_erased, 0, 1 - is_there - is_away)
    return pl.DataFrame({"user_id": ids("user", user), "purchase_probability": chance})


def usual_order_chance(shop: Shop, state: State) -> tuple[Floats, Floats]:
    """(U,) each: the chance to visit today, and that a visit leads to an order."""
    user = np.arange(shop.people.size)
    visits = visit_chance(shop.people, state.is_active, state.is_erased, state.has_coupon, state.day)
    return visits, _order_chance(shop, state, state.day, user)


def _order_chance(shop: Shop, state: State, day: int, user: Ints) -> Floats:
    """(U,) chance that a visit of that day leads to an order."""
    market, luck = seen_market(shop, state, day), shop.luck(day)
    buys = shop.people.mission_rate[user]
    chances = [
        any_chance(consider(shop, state, market, luck, user, np.full(len(user), mission))) for mission in (True, False)
    ]
    return buys * chances[0] + (1 - buys) * chances[1]


def _visits(shop: Shop, state: State, day: int, is_active: bool) -> Floats:
    """(U,) chance to visit that day if active, or if lapsed."""
    presence = np.full(shop.people.size, is_active)
    return visit_chance(shop.people, presence, state.is_erased, state.has_coupon, day)
