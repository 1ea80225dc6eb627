"""What visitors did, as events of the feed: searches, views, carts, wish-lists, checkouts, purchases, reviews."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from warehouse.contracts.feeds_core import EVENT_TYPES
from warehouse.sources.demo_shop.arrays import Flags, Ints, Rows
from warehouse.sources.demo_shop.assortment import SUBCATEGORIES
from warehouse.sources.demo_shop.decisions import EVERYONE
from warehouse.sources.demo_shop.luck import Luck
from warehouse.sources.demo_shop.names import A_DAY, always, ids, known, moments, money, prefixed, words
from warehouse.sources.demo_shop.people import STAPLES
from warehouse.sources.demo_shop.sales import visit_second
from warehouse.sources.demo_shop.shop import Shop
from warehouse.sources.demo_shop.shopping import CONSIDERED, DISPLAYED, FOUND, LIST, SEARCH, Visits
from warehouse.sources.demo_shop.state import LIST_POSITIONS, NO_LIST, State

# Numbers of EVENT_TYPES.
VIEW, FIND, CART, UNCART, CHECKOUT, BUY, WISH, REVIEW = range(8)
_VIEWED = np.repeat(np.array([0.22, 0.10, 0.25, 0.15], np.float32), [LIST_POSITIONS, STAPLES, FOUND, DISPLAYED])
_SEARCHED, _CARTED, _WISHED, _UNCARTED, _ANONYMOUS = 0.8, 0.06, 0.02, 0.5, 0.2
NOTHING = -1
QUERIES = tuple(name.lower() for name in SUBCATEGORIES)

EVENT = np.dtype(
    [
        ("kind", "i1"), ("user", "i4"), ("second", "i4"), ("product", "i4"), ("units", "i2"), ("price", "i4"),
        ("query", "i2"), ("rating", "i1"), ("rank", "i1"), ("is_own_list", "?"), ("is_anonymous", "?"),
    ]
)  # fmt: skip


@dataclass(frozen=True)
class Looks:
    """The day's visits in few numbers: users who came, what each looked at first, list positions seen."""

    user: Ints
    first_product: Ints
    impressions: int


def looks_of(visits: Visits, seen: Flags) -> Looks:
    """What service and the ledger need to know of the visits."""
    first = seen.argmax(axis=1)
    product = visits.product[np.arange(len(first)), first]
    return Looks(visits.user, product, int(seen[:, LIST].sum()))


def browse(shop: Shop, state: State, visits: Visits, seen: Flags, wants: Flags, shelf_price: Ints) -> Rows:
    """Events of these visits up to the cart; what was wanted was looked at and put there."""
    luck, user = shop.luck(state.day), visits.user[:, None]
    column = np.arange(CONSIDERED)
    views = wants | (seen & (luck.uniform("views", user, column) < _VIEWED))
    row, column = np.nonzero(views)
    viewed = np.zeros(len(row), EVENT)
    viewed["user"], viewed["product"] = visits.user[row], visits.product[row, column]
    viewed["second"] = visit_second(luck, viewed["user"]) + 20 + 17 * column
    viewed["price"], viewed["query"] = shelf_price[viewed["product"]], NOTHING
    viewed["rank"] = np.where(column < LIST.stop, column + 1, 0)
    viewed["is_own_list"] = state.lists[viewed["user"], 0] != NO_LIST
    does = luck.uniform("does next", viewed["user"], viewed["product"])
    is_wanted = wants[row, column]
    carted = _then(viewed, is_wanted | (does < _CARTED), CART, 6)
    dropped = (does < _CARTED * _UNCARTED) & ~is_wanted
    wished = _then(viewed, (does >= _CARTED) & (does < _CARTED + _WISHED) & ~is_wanted, WISH, 4)
    events = np.concatenate([_searches(visits, shop, luck), viewed, carted, _then(viewed, dropped, UNCART, 12), wished])
    is_quiet = ~wants.any(axis=1) & (luck.uniform("is anonymous", visits.user) < _ANONYMOUS)
    events["is_anonymous"] = np.isin(events["user"], visits.user[is_quiet])
    return events


def _then(viewed: Rows, where: Flags, kind: int, seconds: int) -> Rows:
    events = viewed[where]
    events["kind"], events["units"] = kind, 1
    events["second"] += seconds
    return events


def _searches(visits: Visits, shop: Shop, luck: Luck) -> Rows:
    searches = luck.uniform("types", visits.user) < _SEARCHED
    events = np.zeros(int(searches.sum()), EVENT)
    events["kind"], events["user"], events["product"] = FIND, visits.user[searches], NOTHING
    events["price"] = NOTHING
    events["second"] = visit_second(luck, events["user"]) + 5
    events["query"] = shop.catalogue.subcategory[visits.product[searches, SEARCH.start]]
    return events


def checkouts(state: State, orders: Rows, lines: Rows, list_rank: Ints) -> Rows:
    """Events of the day's orders; `list_rank` is the list position of each line, 0 without."""
    started = np.zeros(len(orders), EVENT)
    started["kind"], started["user"], started["second"] = CHECKOUT, orders["user"], orders["second"] - 60
    started["product"] = started["price"] = started["query"] = NOTHING
    bought = np.zeros(len(lines), EVENT)
    for name in ("user", "product", "units", "price"):
        bought[name] = lines[name]
    bought["kind"], bought["query"], bought["rank"] = BUY, NOTHING, list_rank
    bought["second"] = orders["second"][np.searchsorted(orders["number"], lines["order"])]
    bought["is_own_list"] = state.lists[lines["user"], 0] != NO_LIST
    return np.concatenate([started, bought])


def reviews(lines: Rows) -> Rows:
    """A review event of each line."""
    events = np.zeros(len(lines), EVENT)
    events["kind"], events["query"], events["price"] = REVIEW, NOTHING, NOTHING
    for name in ("user", "product", "rating"):
        events[name] = lines[name]
    events["second"] = 18 * 3600 + lines["number"] * 7919 % (4 * 3600)
    return events


def behaviour_events(shop: Shop, events: Rows, day: int) -> pl.DataFrame:
    """The feed of the day, in the order of time."""
    events = events[np.lexsort((events["kind"], events["product"], events["user"], events["second"]))]
    user, rank = ids("user", events["user"]), events["rank"]
    device = events["user"].astype(np.int64) * 2654435761 % 2**32
    visitor, is_on_app = ids("device", device), shop.people.is_on_app[events["user"]]
    list_owner = user.zip_with(pl.Series(events["is_own_list"]), always(EVERYONE, len(events)))
    place = prefixed("for_you/", list_owner) + "/"
    return pl.DataFrame(
        {
            "event_id": prefixed(f"E{day:05d}", pl.Series(10**8 + np.arange(len(events))).cast(pl.String)),
            "event_type": words(EVENT_TYPES, events["kind"]),
            "event_at": moments(events["second"].astype(np.int64) + day * A_DAY),
            "user_id": known(user, ~events["is_anonymous"]),
            "visitor_id": visitor,
            # A review is written at home, outside of any visit.
            "session_id": known(prefixed(f"{day:05d}-", visitor), events["kind"] != REVIEW),
            "product_id": ids("product", events["product"]),
            "quantity": known(pl.Series(events["units"].astype(np.float64)), events["units"] > 0),
            "price": known(money(events["price"]), events["price"] >= 0),
            "search_query": known(words(QUERIES, np.maximum(events["query"], 0)), events["query"] >= 0),
            "rating": known(pl.Series(events["rating"].astype(np.float64)), events["rating"] > 0),
            "recommendation_id": known(place + pl.Series(rank).cast(pl.String), rank > 0),
            "channel": words(("web", "app"), is_on_app),
            "device_type": words(("desktop", "phone"), is_on_app),
        }
    )
