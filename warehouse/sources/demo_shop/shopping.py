"""A visit: what a user comes to consider, and the chance to buy each of it.

A list position, a staple and a displayed product are each wanted on their own, with a chance 1 - exp(-exp(utility)),
so that elasticities hardly depend on how much a product is liked; of the products found by a search at most one is (a
logit choice: McFadden 1974). Shapes: V visits, D = 30 products that may be looked at, S = 12 staples.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from warehouse.sources.demo_shop.arrays import Flags, Floats, Ints
from warehouse.sources.demo_shop.luck import Luck
from warehouse.sources.demo_shop.market import Market
from warehouse.sources.demo_shop.people import STAPLES, People
from warehouse.sources.demo_shop.shop import Shop
from warehouse.sources.demo_shop.state import LIST_POSITIONS, NO_LIST, State

FOUND, DISPLAYED = 8, 2
LIST = slice(0, LIST_POSITIONS)
STAPLE = slice(LIST.stop, LIST.stop + STAPLES)
SEARCH = slice(STAPLE.stop, STAPLE.stop + FOUND)
DISPLAY = slice(SEARCH.stop, SEARCH.stop + DISPLAYED)
CONSIDERED = DISPLAY.stop

# Utility of where a product is met, against not buying.
_LIST, _STAPLE, _SEARCH, _DISPLAY = _PLACES = -4.1, -1.75, -2.4, -3.7
_BROWSING, _COUPON = -3.2, 0.25
# A list brings a staple to mind before it has run out.
_REMINDER = 0.6
# Chance that the eye reaches the next position of a list.
_NEXT_POSITION = 0.85
_LAPSED_RATE = 0.03
_WEEKDAY = np.array([1.05, 0.95, 0.95, 1.0, 1.05, 1.1, 0.9], np.float32)
_TASTE = np.float32(0.28)
_NOT_MET = np.float32(-30)


@dataclass(frozen=True, kw_only=True)
class Visits:
    """`user` (V,), who looks at each `product` (V, D) with the chance `attention`, and who then has the `utility` of
    buying it, against not buying, and the chance `choice` to want it. `chance`: to look at it and want it;
    `elasticity`: of that in the price."""

    user: Ints
    is_mission: Flags
    product: Ints
    attention: Floats
    utility: Floats
    choice: Floats
    chance: Floats
    elasticity: Floats


def visit_chance(people: People, is_active: Flags, is_erased: Flags, has_coupon: Flags, day: int) -> Floats:
    """(U,) chance that each user visits that day."""
    presence = np.where(is_active, np.float32(1), np.float32(_LAPSED_RATE)) * ~is_erased
    offer = 1 + 0.3 * people.deal_love * has_coupon
    return np.minimum(people.visit_rate * presence * offer * _WEEKDAY[day % 7], 0.97)


def is_mission(people: People, luck: Luck, user: Ints) -> Flags:
    """(V,) whether the visit is meant to buy; else it is for looking around."""
    return luck.uniform("mission", user) < people.mission_rate[user]


def consider(shop: Shop, state: State, market: Market, luck: Luck, user: Ints, mission: Flags) -> Visits:
    """What these users' visits come to, each at most once a day."""
    people = shop.people
    product, attention, place = _met(shop, state, market, luck, user, mission)
    liking, slope = _liking(shop, market, user, product, _own_taste(shop, user, product))
    occasion = np.where(mission, 0, _BROWSING) + _COUPON * people.deal_love[user] * state.has_coupon[user]
    utility = liking + place + occasion[:, None].astype(np.float32)
    utility = np.where(attention > 0, utility, _NOT_MET)
    choice, response = choices(utility)
    return Visits(
        user=user,
        is_mission=mission,
        product=product,
        attention=attention,
        utility=utility,
        choice=choice,
        chance=attention * choice,
        elasticity=-slope * response,
    )


def _own_taste(shop: Shop, user: Ints, product: Ints) -> Floats:
    """(V, D) how well each product of a user's own suits the user."""
    return np.einsum("vk,vdk->vd", shop.people.taste[user], shop.catalogue.taste[product])


def _liking(shop: Shop, market: Market, user: Ints, product: Ints, taste: Floats) -> tuple[Floats, Floats]:
    """(V, D) each: the utility of a product wherever it is met, and what it loses per unit of log price."""
    people = shop.people
    slope = shop.catalogue.sensitivity[product] * people.price_sensitivity[user, None]
    utility = market.attraction[product] + _TASTE * taste + people.power[user, None] * market.tier[product]
    return utility - slope * market.log_price[product], slope


def listing_gain(shop: Shop, market: Market, user: Ints, product: Ints) -> Floats:
    """(n, C) chance that each of these users, on a visit to buy, wants each product (C,) that a list brings to the
    eye."""
    taste = shop.people.taste[user] @ shop.catalogue.taste[product].T
    liking, _ = _liking(shop, market, user, product, taste)
    return -np.expm1(-np.exp(_LIST + liking))


def staple_gain(shop: Shop, state: State, market: Market, user: Ints) -> Floats:
    """(n, S) by how much a list raises the chance that each of these users wants each own staple."""
    product = shop.people.staples[user]
    liking, _ = _liking(shop, market, user, product, _own_taste(shop, user, product))
    need = _need(shop.people, state, market.day, user)
    return (need**_REMINDER - need) * -np.expm1(-np.exp(_STAPLE + liking))


def choices(utility: Floats) -> tuple[Floats, Floats]:
    """(V, D) each: the chance to want a product, once looked at, and how its logarithm grows in the utility."""
    rate = np.exp(utility)
    choice = -np.expm1(-rate)
    response = np.divide(rate * np.exp(-rate), choice, out=np.ones_like(rate), where=choice > 0)
    found = rate[:, SEARCH]
    choice[:, SEARCH] = found / (1 + found.sum(axis=1, keepdims=True))
    response[:, SEARCH] = 1 - choice[:, SEARCH]
    return choice, response


def looked_at(visits: Visits, luck: Luck) -> Flags:
    """(V, D) what the day's luck makes of the attention."""
    return luck.uniform("looks at", visits.user[:, None], visits.product) < visits.attention


def wanted(visits: Visits, seen: Flags, luck: Luck) -> Flags:
    """(V, D) what is wanted of what was seen, as if all were in stock."""
    user = visits.user[:, None]
    wants = luck.uniform("wants", user, visits.product) < visits.choice
    noisy = visits.utility[:, SEARCH] + luck.gumbel("likes", user, visits.product[:, SEARCH])
    best, nothing = noisy.argmax(axis=1), luck.gumbel("likes nothing", visits.user)
    wants[:, SEARCH] = (np.arange(FOUND) == best[:, None]) & (noisy.max(axis=1) > nothing)[:, None]
    return wants & seen


def met_needs(shop: Shop, visits: Visits, seen: Flags) -> Flags:
    """(V, S) staples whose need is over after the visit: who does not buy one here buys it elsewhere. So a low price
    today takes nothing from tomorrow's demand, and a price's whole effect is that of its day."""
    staples = shop.people.staples[visits.user]
    is_listed = (visits.product[:, LIST, None] == staples[:, None]) & seen[:, LIST, None]
    return visits.is_mission[:, None] & (seen[:, STAPLE] | is_listed.any(axis=1))


def _met(
    shop: Shop, state: State, market: Market, luck: Luck, user: Ints, mission: Flags
) -> tuple[Ints, Floats, Floats]:
    """(V, D) each: products, the chance that each is looked at, and the utility of the place where it is met."""
    product = np.zeros((len(user), CONSIDERED), np.int32)
    attention = np.ones(product.shape, np.float32)
    place = np.repeat(np.array(_PLACES, np.float32), [LIST_POSITIONS, STAPLES, FOUND, DISPLAYED])
    place = np.broadcast_to(place, product.shape).copy()
    own, need = state.lists[user], _need(shop.people, state, market.day, user)
    listed = np.where(own[:, :1] == NO_LIST, _shared_page(state, luck, user), own)
    reach = np.where(listed == NO_LIST, 0, np.float32(_NEXT_POSITION) ** np.arange(LIST_POSITIONS))
    product[:, STAPLE] = shop.people.staples[user]
    # A listed staple is looked at when the list brings it to mind before it has run out, or when it has.
    same = listed[:, :, None] == product[:, None, STAPLE]
    needed, reminded = (np.where(same, chance[:, None], 0).max(axis=2) for chance in (need, need**_REMINDER))
    is_staple = same.any(axis=2)
    product[:, LIST] = np.maximum(listed, 0)
    unread = (1 - reach) * needed * mission[:, None]
    attention[:, LIST] = np.where(is_staple, reach * reminded + unread, reach)
    place[:, LIST] = np.where(is_staple, _STAPLE, _LIST)
    attention[:, STAPLE] = need * mission[:, None]
    product[:, SEARCH] = _found(shop, market, luck, user)
    attention[:, DISPLAY] = len(market.displayed) > 0
    if len(market.displayed):
        spot = luck.uniform("front page", user[:, None], np.arange(DISPLAYED)) * len(market.displayed)
        product[:, DISPLAY] = market.displayed[spot.astype(int)]
    attention *= market.is_sold[product]
    return product, np.where(_is_met_before(product, attention), 0, attention), place


def _is_met_before(product: Ints, attention: Floats) -> Flags:
    """(V, D) whether the same product is met further left already: it is considered once."""
    # What nobody looks at is like nothing else.
    known = np.where(attention > 0, product, -1 - np.arange(CONSIDERED))
    order = np.argsort(known, axis=1, kind="stable")
    in_order = np.take_along_axis(known, order, axis=1)
    repeats = np.zeros(product.shape, bool)
    np.put_along_axis(repeats, order[:, 1:], in_order[:, 1:] == in_order[:, :-1], axis=1)
    return repeats


def _shared_page(state: State, luck: Luck, user: Ints) -> Ints:
    """(V, 8) the page of everyone's list that a visitor happens to see: pages take turns."""
    pages = state.shared_list[: max(int((state.shared_list != NO_LIST).sum()), 1)]
    count = -(-len(pages) // LIST_POSITIONS)
    padded = np.full(count * LIST_POSITIONS, NO_LIST, np.int32)
    padded[: len(pages)] = pages
    return padded.reshape(count, LIST_POSITIONS)[(luck.uniform("page", user) * count).astype(int)]


def _need(people: People, state: State, day: int, user: Ints) -> Floats:
    """(V, S) chance that a staple has run out, by the days since its need was last met (Weibull)."""
    since = np.maximum(day - state.met_day[user], 0) / people.staple_days[user]
    return (1 - np.exp(-(since**2))).astype(np.float32)


def _found(shop: Shop, market: Market, luck: Luck, user: Ints) -> Ints:
    """(V, 8) products of one subcategory that is to the user's taste."""
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
