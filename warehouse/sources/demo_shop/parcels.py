"""What a day brings to open orders: parcels leave and arrive, things come back, opinions and annoyance form."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from warehouse.sources.demo_shop import laws
from warehouse.sources.demo_shop.arrays import Flags, Rows
from warehouse.sources.demo_shop.orders import NOT_YET
from warehouse.sources.demo_shop.shop import Shop
from warehouse.sources.demo_shop.state import State

REVIEW_SHARE = 0.07
_LONGEST_REVIEW_DAYS = 12
_ANNOYANCE_A_DAY_LATE = 0.3
# An order is forgotten when nothing can happen with it any more.
_REMEMBERED_DAYS = laws.FIRST_RETURN_DAY + laws.LONGEST_RETURN_DAYS + 2


@dataclass(frozen=True)
class Parcels:
    """Rows of the orders and lines that changed today, and of the lines that were returned or reviewed today."""

    orders: Rows
    lines: Rows
    returned: Rows
    reviewed: Rows


def move_parcels(shop: Shop, state: State) -> Parcels:
    """Let parcels leave, arrive and come back today; returned units go back to the stock of their site."""
    day = state.day
    arrives = state.orders["deliver_day"] == day
    _receive(shop, state, arrives)
    _settle_lines(shop, state)
    lines = state.lines
    is_returned, is_reviewed = lines["return_day"] == day, lines["review_day"] == day
    returned = lines[is_returned]
    np.add.at(state.on_hand, (returned["site"], returned["product"]), returned["units"])
    comes_back = np.isin(state.orders["number"], returned["order"])
    state.orders["is_returned"] |= comes_back
    leaves = state.orders["ship_day"] == day
    moved = np.isin(lines["order"], state.orders["number"][leaves | arrives])
    return Parcels(state.orders[arrives | comes_back], lines[moved | is_returned], returned, lines[is_reviewed])


def forget_old_orders(state: State) -> None:
    """Drop orders and lines that no longer change."""
    oldest = state.day - _REMEMBERED_DAYS
    state.orders = state.orders[state.orders["deliver_day"] > oldest]
    state.lines = state.lines[state.lines["deliver_day"] > oldest]


def _receive(shop: Shop, state: State, arrives: Flags) -> None:
    """Customers have their parcels: whether, when and why they will get in touch about it, and how annoyed they are."""
    orders, people, day = state.orders[arrives], shop.people, state.day
    late = np.maximum(day - orders["promised_day"], 0)
    np.add.at(state.annoyance, orders["user"], np.float32(_ANNOYANCE_A_DAY_LATE) * np.minimum(late, 5))
    chances = laws.contact_after_delivery(orders["quality"], late, people.contact_rate[orders["user"]])
    luck, number = shop.luck(day), orders["user"]
    draw = luck.uniform("gets in touch", number, orders["day"])
    reason = (draw[:, None] >= np.cumsum(chances, axis=1)).sum(axis=1)
    wait = luck.waiting("waits to get in touch", laws.CONTACT_SPEED, number, orders["day"])
    wait = np.minimum(wait, laws.LONGEST_CONTACT_DAYS)
    state.orders["contact_day"][arrives] = np.where(reason < chances.shape[1], day + wait, NOT_YET)
    state.orders["contact_reason"][arrives] = laws.DAMAGED + np.minimum(reason, chances.shape[1] - 1)


def _settle_lines(shop: Shop, state: State) -> None:
    """Lines that arrive today: whether and when they will be returned or reviewed, and how rated."""
    catalogue, day, luck = shop.catalogue, state.day, shop.luck(state.day)
    arrives = state.lines["deliver_day"] == day
    lines = state.lines[arrives]
    user, product, quality = lines["user"], lines["product"], catalogue.quality[lines["product"]]
    late = np.maximum(day - (lines["day"] + laws.PROMISED_DAYS), 0)
    ids = (user, product, lines["day"])
    chance = laws.return_chance(catalogue.returns[product], quality, shop.people.return_rate[user], late)
    wait = np.minimum(luck.waiting("waits to return", laws.RETURN_SPEED, *ids), laws.LONGEST_RETURN_DAYS)
    is_returned = luck.uniform("returns", *ids) < chance
    rating = laws.mean_rating(quality, late) + 0.8 * luck.normal("rating", *ids)
    review_wait = 1 + (luck.uniform("waits to review", *ids) * _LONGEST_REVIEW_DAYS).astype(np.int32)
    reviews = luck.uniform("reviews", *ids) < REVIEW_SHARE
    state.lines["return_day"][arrives] = np.where(is_returned, day + laws.FIRST_RETURN_DAY + wait, NOT_YET)
    state.lines["review_day"][arrives] = np.where(reviews, day + review_wait, NOT_YET)
    state.lines["rating"][arrives] = np.clip(np.rint(rating), 1, 5)
