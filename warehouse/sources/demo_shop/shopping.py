"""A visit: what a user comes to consider, and the chance to buy each of it.

A list position, a staple and a displayed product are each a logit choice between buying and not; the products found by
a search are one choice among themselves (McFadden 1974). Shapes: V visits, D = 25 products considered, K taste factors.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from warehouse.sources.demo_shop.luck import Luck
from warehouse.sources.demo_shop.market import Market
from warehouse.sources.demo_shop.people import STAPLES, People
from warehouse.sources.demo_shop.shop import Shop
from warehouse.sources.demo_shop.state import LIST_POSITIONS, NO_LIST, State

Floats = NDArray[np.float32]
Ints = NDArray[np.int32]
Flags = NDArray[np.bool_]

FOUND, DISPLAYED = 6, 3
LIST = slice(0, LIST_POSITIONS)
STAPLE = slice(LIST.stop, LIST.stop + STAPLES)
SEARCH = slice(STAPLE.stop, STAPLE.stop + FOUND)
DISPLAY = slice(SEARCH.stop, SEARCH.stop + DISPLAYED)
CONSIDERED = DISPLAY.stop

# Utility of the whole occasion, against not buying.
_LIST, _STAPLE, _SEARCH, _DISPLAY = -3.9, -2.6, -3.2, -3.9
_BROWSING, _COUPON = -3.2, 0.5
_DUE, _LEAST_DUE, _MOST_DUE = 1.6, -5.0, 1.0
# A list brings a staple to mind.
_REMINDER = 0.3
# Chance that the eye reaches the next position of a list.
_NEXT_POSITION = 0.85
_LAPSED_RATE = 0.03
_WEEKDAY = np.array([1.05, 0.95, 0.95, 1.0, 1.05, 1.1, 0.9], np.float32)
_TASTE = np.float32(0.45)
_NOT_CONSIDERED = np.float32(-30)


@dataclass(frozen=True)
class Visits:
    """`user` (V,), who considers `product` (V, D) where `is_considered`, and buys with `chance` (V, D) if in stock.

    `elasticity` (V, D): of that chance in the price. `utility` (V, D): against not buying, before luck."""

    user: Ints
    product: Ints
    is_considered: Flags
    utility: Floats
    chance: Floats
    elasticity: Floats


def visit_chance(people: People, state: State, day: int) -> Floats:
    """(U,) chance that each user visits that day."""
    presence = np.where(state.is_active, np.float32(1), np.float32(_LAPSED_RATE)) * ~state.is_erased
    offer = 1 + 0.6 * people.deal_love * state.has_coupon
    return np.minimum(people.visit_rate * presence * offer * _WEEKDAY[day % 7], 0.97)


def is_mission(people: People, luck: Luck, user: Ints) -> Flags:
    """(V,) whether the visit is meant to buy; else it is for looking around."""
    return luck.uniform("mission", user) < people.mission_rate[user]


def consider(shop: Shop, state: State, market: Market, luck: Luck, user: Ints, mission: Flags) -> Visits:
    """What these users' visits come to, each at most once a day."""
    catalogue, people = shop.catalogue, shop.people
    product, is_considered, due = _considered(shop, state, market, luck, user)
    taste = np.einsum("vk,vdk->vd", people.taste[user], catalogue.taste[product])
    occasion = np.where(mission, 0, _BROWSING) + _COUPON * people.deal_love[user] * state.has_coupon[user]
    slope = catalogue.sensitivity[product] * people.price_sensitivity[user, None]
    utility = market.attraction[product] + _TASTE * taste + people.power[user, None] * market.tier[product]
    utility += due + occasion[:, None].astype(np.float32) - slope * market.log_price[product]
    utility = np.where(is_considered, utility, _NOT_CONSIDERED)
    chance = buy_chance(utility)
    return Visits(user, product, is_considered, utility, chance, -slope * (1 - chance))


def buy_chance(utility: Floats) -> Floats:
    """(V, D) chance to buy each: logit against not buying, the found ones against each other as well."""
    weight = np.exp(np.minimum(utility, 30))
    rivals = weight.copy()
    rivals[:, SEARCH] = weight[:, SEARCH].sum(axis=1, keepdims=True)
    return weight / (1 + rivals)


def wanted(visits: Visits, luck: Luck) -> Flags:
    """(V, D) what the day's luck makes of the chances, as if all were in stock."""
    user = visits.user[:, None]
    buys = luck.uniform("buys", user, visits.product) < visits.chance
    noisy = visits.utility[:, SEARCH] + luck.gumbel("likes", user, visits.product[:, SEARCH])
    best, nothing = noisy.argmax(axis=1), luck.gumbel("likes nothing", visits.user)
    buys[:, SEARCH] = (np.arange(FOUND) == best[:, None]) & (noisy.max(axis=1) > nothing)[:, None]
    return _once(visits, buys & visits.is_considered)


def _once(visits: Visits, buys: Flags) -> Flags:
    """A product that is met twice in one visit is bought once."""
    row, column = np.nonzero(buys)
    _, first = np.unique(row * np.int64(2**32) + visits.product[row, column], return_index=True)
    once = np.zeros_like(buys)
    once[row[first], column[first]] = True
    return once


def _considered(shop: Shop, state: State, market: Market, luck: Luck, user: Ints) -> tuple[Ints, Flags, Floats]:
    """(V, D) each: products, whether they are considered, and the utility of where they were met."""
    people = shop.people
    product = np.empty((len(user), CONSIDERED), np.int32)
    is_met = np.ones(product.shape, bool)
    bonus = np.empty(product.shape, np.float32)
    due = _due(people, state, market.day, user)
    own = state.lists[user]
    product[:, LIST] = np.where(own[:, :1] == NO_LIST, state.shared_list, own)
    reach = np.float32(_NEXT_POSITION) ** np.arange(LIST_POSITIONS)
    is_met[:, LIST] = (luck.uniform("eye", user)[:, None] < reach) & (product[:, LIST] != NO_LIST)
    bonus[:, LIST] = _LIST
    product[:, STAPLE], bonus[:, STAPLE] = people.staples[user], _STAPLE + due
    # A staple on the list is not met twice: the list brings it to mind, the need decides.
    same = product[:, LIST, None] == product[:, None, STAPLE]
    is_listed = (same & is_met[:, LIST, None]).any(axis=1)
    reminded = (same * np.maximum(due - _LIST + _STAPLE + _REMINDER, 0)[:, None, :]).max(axis=2)
    bonus[:, LIST] += reminded
    is_met[:, STAPLE] &= ~is_listed
    product[:, SEARCH], bonus[:, SEARCH] = _found(shop, market, luck, user), _SEARCH
    if len(market.displayed):
        place = luck.uniform("front page", user[:, None], np.arange(DISPLAYED)) * len(market.displayed)
        product[:, DISPLAY] = market.displayed[place.astype(int)]
    is_met[:, DISPLAY] = len(market.displayed) > 0
    bonus[:, DISPLAY] = _DISPLAY
    product = np.where(is_met, product, 0)
    return product, is_met & market.is_sold[product], bonus


def _due(people: People, state: State, day: int, user: Ints) -> Floats:
    """(V, S): how much a staple is needed again, by the days since it was bought."""
    since = np.maximum(day - state.bought_day[user], 1) / people.staple_days[user]
    return np.clip(_DUE * np.log(since), _LEAST_DUE, _MOST_DUE).astype(np.float32)


def _found(shop: Shop, market: Market, luck: Luck, user: Ints) -> Ints:
    """(V, 6) products of one subcategory that is to the user's taste."""
    catalogue = shop.catalogue
    liking = np.exp(1.2 * shop.people.taste[user] @ catalogue.centres.T)
    share = np.cumsum(liking, axis=1)
    pick = luck.uniform("subcategory", user)[:, None] * share[:, -1:]
    subcategory = (share < pick).sum(axis=1)
    reach = market.search_reach
    first = np.searchsorted(catalogue.subcategory, subcategory)
    last = np.searchsorted(catalogue.subcategory, subcategory, side="right") - 1
    low = np.where(first > 0, reach[first - 1], 0)
    place = low[:, None] + luck.uniform("found", user[:, None], np.arange(FOUND)) * (reach[last] - low)[:, None]
    return np.minimum(np.searchsorted(reach, place), last[:, None]).astype(np.int32)
