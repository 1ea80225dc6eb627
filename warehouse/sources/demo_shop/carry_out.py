"""What is decided today, by somebody or by the shop's own habit, as arrays. An unknown id is refused before anything
has happened."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from warehouse.sources.demo_shop import laws, supply
from warehouse.sources.demo_shop.arrays import Floats, Ints
from warehouse.sources.demo_shop.decisions import ALL_SITES, EVERYONE, POOLED, Decisions, refuse_unknown
from warehouse.sources.demo_shop.names import numbers
from warehouse.sources.demo_shop.people import TICKET_CHANNELS
from warehouse.sources.demo_shop.plan import TARGETED_SHARE, campaign_of_day, price_point, regular_prices
from warehouse.sources.demo_shop.service import HANDLE_MINUTES, OPEN_MINUTES
from warehouse.sources.demo_shop.shop import Shop
from warehouse.sources.demo_shop.state import LIST_POSITIONS, NO_LIST, SHARED_POSITIONS, State

# Every fourth position of everyone's list shows a product at random.
RANDOM_EVERY = 4
_CONTACTS_PER_USER_DAY, _USUAL_OCCUPANCY = 0.0075, 0.75


@dataclass(frozen=True)
class Today:
    """Prices in cents (P,) and their ratio to the habit's; users and their own `lists` (n, 8), everyone's list (40,);
    `units` to order (N, P), None for the habit; newly `offered` users, and how many offers may not be made; `agents`
    (channels,); rows of the open orders whose customers get a message."""

    price: Ints
    list_price: Ints
    ratio: Floats
    lists: tuple[Ints, Ints] | None
    shared_list: Ints
    units: Ints | None
    offered: Ints
    refused_offers: int
    agents: Ints
    is_pooled: bool
    messaged: Ints


def understand(shop: Shop, state: State, decisions: Decisions, depth: Floats) -> Today:
    """The decisions as arrays, habits where nothing was decided; `depth` (P,) of today's promotions. DecisionError for
    an id that the shop does not know."""
    price, list_price, ratio = _prices(shop, state, decisions.prices, depth)
    lists, shared = _lists(shop, state, decisions.lists)
    offered, refused = _offers(shop, state, decisions.offers)
    agents, is_pooled = _agents(shop, decisions.agents)
    return Today(
        price=price,
        list_price=list_price,
        ratio=ratio,
        lists=lists,
        shared_list=shared,
        units=_orders(shop, state, decisions.orders),
        offered=offered,
        refused_offers=refused,
        agents=agents,
        is_pooled=is_pooled,
        messaged=_messages(state, decisions.messages),
    )


def habitual_prices(shop: Shop, day: int, depth: Floats) -> tuple[Ints, Ints]:
    """(P,) shelf and regular prices of the shop's own habit that day."""
    regular = regular_prices(shop.catalogue, shop.seed, day).astype(np.int64)
    return np.where(depth > 0, price_point(regular * (1 - depth)), regular), regular


def _prices(shop: Shop, state: State, rows: pl.DataFrame | None, depth: Floats) -> tuple[Ints, Ints, Floats]:
    habit, regular = habitual_prices(shop, state.day, depth)
    ratio = state.price_ratio.copy()
    price = np.where(ratio == 1, habit, np.maximum(np.rint(habit * ratio), 1)).astype(np.int64)
    if rows is not None:
        product = numbers("product", rows["product_id"], shop.catalogue.size, "prices")
        price[product] = np.rint(rows["price"].to_numpy() * 100)
        ratio[product] = price[product] / habit[product]
    return price, np.maximum(price, regular), ratio


def _lists(shop: Shop, state: State, rows: pl.DataFrame | None) -> tuple[tuple[Ints, Ints] | None, Ints]:
    """Own lists and everyone's; an own list shows its first eight ranks."""
    if rows is None:
        return None, best_sellers(shop, state)
    product = numbers("product", rows["product_id"], shop.catalogue.size, "lists")
    position = rows["rank"].to_numpy() - 1
    is_shared = (rows["user_id"] == EVERYONE).to_numpy()
    user = numbers("user", rows["user_id"].filter(pl.Series(~is_shared)), shop.people.size, "lists")
    users, row = np.unique(user, return_inverse=True)
    lists = np.full((len(users), LIST_POSITIONS), NO_LIST, np.int64)
    is_shown = position[~is_shared] < LIST_POSITIONS
    lists[row[is_shown], position[~is_shared][is_shown]] = product[~is_shared][is_shown]
    if not is_shared.any():
        return (users, lists), best_sellers(shop, state)
    shared = np.full(SHARED_POSITIONS, NO_LIST, np.int64)
    is_shown = is_shared & (position < SHARED_POSITIONS)
    # Ranks that are left out close up.
    shown = product[is_shown][np.argsort(position[is_shown])]
    shared[: len(shown)] = shown
    return (users, lists), shared


def best_sellers(shop: Shop, state: State) -> Ints:
    """(40,) the habit's list: what sells most, in stock or not, but every fourth position at random."""
    rate = np.where(shop.catalogue.is_sold(state.day), state.sales_rate.sum(axis=0), -1)
    is_random = np.arange(SHARED_POSITIONS) % RANDOM_EVERY == RANDOM_EVERY - 1
    luck = shop.luck(state.day).uniform("random position", np.flatnonzero(is_random))
    listed = np.empty(SHARED_POSITIONS, np.int64)
    listed[is_random] = luck * shop.catalogue.size
    listed[~is_random] = np.argsort(-rate, kind="stable")[: (~is_random).sum()]
    return listed


def _orders(shop: Shop, state: State, rows: pl.DataFrame | None) -> Ints | None:
    if rows is None:
        return None
    product = numbers("product", rows["product_id"], shop.catalogue.size, "orders")
    everywhere = (rows["site_id"] == ALL_SITES).to_numpy()
    site = numbers("site", rows["site_id"].filter(pl.Series(~everywhere)), shop.size.sites, "orders")
    amount = rows["units"].to_numpy()
    units = np.zeros(state.on_hand.shape, np.int64)
    units[site, product[~everywhere]] += amount[~everywhere]
    share = _site_shares(state)[:, product[everywhere]]
    # Cumulated shares are rounded, so that the sites' units add up.
    upto = np.rint(np.cumsum(share, axis=0) * amount[everywhere]).astype(np.int64)
    units[:, product[everywhere]] += np.diff(upto, axis=0, prepend=0)
    return units


def _site_shares(state: State) -> Floats:
    """(N, P) each site's share of a product's sales, a little evened out."""
    rate = state.sales_rate.astype(np.float64) + 0.01
    return rate / rate.sum(axis=0)


def _offers(shop: Shop, state: State, rows: pl.DataFrame | None) -> tuple[Ints, int]:
    """Users who get the running campaign's coupon today, and how many may not be written to."""
    campaign = campaign_of_day(shop.seed, state.day)
    if rows is None:
        if campaign is None or campaign.first_day != state.day:
            return np.zeros(0, np.int64), 0
        chosen = shop.luck(state.day).uniform("is targeted", np.arange(shop.people.size)) < TARGETED_SHARE
        return np.flatnonzero(chosen & state.has_consent & ~state.is_erased), 0
    running = campaign.campaign_id if campaign else None
    refuse_unknown(
        "offers", "campaign_id", rows["campaign_id"].filter(rows["campaign_id"] != (running or "")).to_list()
    )
    user = numbers("user", rows["user_id"], shop.people.size, "offers")
    may = state.has_consent[user] & ~state.is_erased[user]
    is_new = ~state.was_offered[user] | (campaign is not None and campaign.first_day == state.day)
    return user[may & is_new], int((~may).sum())


def usual_agents(shop: Shop) -> int:
    """The habit's fixed staff of the common queue: what the shop's size calls for when it is fully grown."""
    minutes = shop.size.users * _CONTACTS_PER_USER_DAY * float(HANDLE_MINUTES[laws.WHERE]) * 1.1
    return max(int(np.ceil(minutes / OPEN_MINUTES / _USUAL_OCCUPANCY)), 1)


def _agents(shop: Shop, rows: pl.DataFrame | None) -> tuple[Ints, bool]:
    agents = np.zeros(len(TICKET_CHANNELS), np.int64)
    if rows is None:
        agents[0] = usual_agents(shop)
        return agents, True
    refuse_unknown("agents", "channel", set(rows["channel"]) - {POOLED, *TICKET_CHANNELS})
    if POOLED in rows["channel"]:
        agents[0] = rows.filter(pl.col("channel") == POOLED)["agents"].item()
        return agents, True
    staff = dict(zip(rows["channel"], rows["agents"], strict=True))
    return np.array([staff.get(channel, 0) for channel in TICKET_CHANNELS]), False


def _messages(state: State, rows: pl.DataFrame | None) -> Ints:
    """Rows of `state.orders` to write to: still on their way, once each."""
    if rows is None:
        return np.zeros(0, np.int64)
    number = numbers("order", rows["order_id"], state.next_order, "messages")
    row = np.searchsorted(state.orders["number"], number)
    is_open = row < len(state.orders)
    row = row[is_open]
    row = row[state.orders["number"][row] == number[is_open]]
    may = (state.orders["deliver_day"][row] >= state.day) & ~state.orders["is_messaged"][row]
    return row[may]


def units_to_order(shop: Shop, state: State, today: Today) -> Ints:
    """(N, P) units to order this morning."""
    return supply.habit(shop, state) if today.units is None else today.units
