"""A day of trade: visits in portions, the wishes they leave, what is sold of them, and the demand that was there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from warehouse.sources.demo_shop.arrays import Floats, Ints, Rows
from warehouse.sources.demo_shop.behaviour import Looks, browse, looks_of
from warehouse.sources.demo_shop.market import Market
from warehouse.sources.demo_shop.sales import Sales, Wishes, sell, wishes_of
from warehouse.sources.demo_shop.shop import Shop
from warehouse.sources.demo_shop.shopping import (
    Visits,
    consider,
    is_mission,
    looked_at,
    met_needs,
    visit_chance,
    wanted,
)
from warehouse.sources.demo_shop.state import State

# So many visits are worked on at once: memory stays bounded, however many users there are.
PORTION = 50_000


@dataclass(frozen=True)
class Trade:
    """`expected_units` (N, P): mean of the demand for all who came, at today's prices and as if in stock;
    `wanted_units` (N, P): what they then wanted. `events`: up to the cart."""

    sales: Sales
    looks: Looks
    events: Rows
    expected_units: Floats
    wanted_units: Ints


def trade(shop: Shop, state: State, market: Market) -> Trade:
    """Let today's visitors shop. Changes the elasticities and staples that `state` remembers, not the stock."""
    luck = shop.luck(state.day)
    expected = np.zeros(state.on_hand.shape)
    wishes, events, looks = [], [], []
    for visits in _visits(shop, state, market):
        seen = looked_at(visits, luck)
        wants = wanted(visits, seen, luck)
        user, slot = np.nonzero(met_needs(shop, visits, seen))
        state.met_day[visits.user[user], slot] = state.day
        expected += expected_units(shop, visits, np.ones(len(visits.user), np.float32))
        state.elasticity_sum += by_product(shop, visits, visits.chance * visits.elasticity)
        state.elasticity_weight += by_product(shop, visits, visits.chance)
        events.append(browse(shop, state, visits, seen, wants, market.shelf_price))
        looks.append(looks_of(visits, seen))
        row, column = np.nonzero(wants)
        product = visits.product[row, column].astype(np.int64)
        wishes.append(wishes_of(visits.user[row], product, column, shop.catalogue, luck))
    every = Wishes(*(np.concatenate([getattr(each, name) for each in wishes]) for name in WISH))
    wanted_units = np.zeros(state.on_hand.shape, np.int64)
    np.add.at(wanted_units, (shop.people.site[every.user], every.product), every.units)
    sales = sell(shop, every, state.on_hand, luck, state.day)
    all_looks = Looks(
        np.concatenate([each.user for each in looks]),
        np.concatenate([each.first_product for each in looks]),
        sum(each.impressions for each in looks),
    )
    return Trade(sales, all_looks, np.concatenate(events), expected, wanted_units)


WISH = ("user", "product", "column", "units", "second")


def expected_units(shop: Shop, visits: Visits, weight: Floats) -> Floats:
    """(N, P) mean units that these visits want, each counted `weight` (V,) times."""
    people, catalogue = shop.people, shop.catalogue
    item = people.site[visits.user][:, None].astype(np.int64) * catalogue.size + visits.product
    units = visits.chance * catalogue.expected_units[visits.product] * weight[:, None]
    count = shop.size.sites * catalogue.size
    sums = np.bincount(item.reshape(-1), units.reshape(-1), minlength=count).astype(np.float64)
    return sums.reshape(shop.size.sites, catalogue.size)


def by_product(shop: Shop, visits: Visits, values: Floats) -> Floats:
    """(P,) sums of the values (V, D)."""
    sums = np.bincount(visits.product.reshape(-1), values.reshape(-1), minlength=shop.catalogue.size)
    return sums.astype(np.float32)


def _visits(shop: Shop, state: State, market: Market) -> Iterator[Visits]:
    """Today's visits, in portions of users; one portion at least."""
    luck, everybody = shop.luck(state.day), np.arange(shop.people.size)
    chance = visit_chance(shop.people, state.is_active, state.is_erased, state.has_coupon, state.day)
    comes = luck.uniform("visits", everybody) < chance
    visitor = np.flatnonzero(comes)
    for portion in np.array_split(visitor, max(-(-len(visitor) // PORTION), 1)):
        mission = is_mission(shop.people, luck, portion)
        yield consider(shop, state, market, luck, portion, mission)
