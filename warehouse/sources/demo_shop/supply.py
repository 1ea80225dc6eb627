"""Stock and its replenishment: orders to suppliers, late receipts, spoilage and the end of a product's life."""

from __future__ import annotations

import numpy as np

from warehouse.sources.demo_shop.arrays import Flags, Floats, Ints, Rows
from warehouse.sources.demo_shop.plan import WEEK, promotions_of_week
from warehouse.sources.demo_shop.shop import Shop
from warehouse.sources.demo_shop.state import PURCHASE, State

# The trailing mean forgets within about four weeks.
_MEMORY = 1 / 28
_SAFETY, _COVER_DAYS = 1.05, 12
_SHELF_DAYS = 60
# A promotion of 20% is planned for with half as much again.
_MORE_FOR_PROMOTIONS = 2.5
HOLDING_RATIO_PER_DAY = 0.0006
ORDER_CENTS, ORDER_LINE_CENTS = 600, 25


def incoming(state: State) -> Ints:
    """(N, P) units ordered and not yet received."""
    units = np.zeros(state.on_hand.shape, np.int64)
    np.add.at(units, (state.purchases["site"], state.purchases["product"]), state.purchases["units"])
    return units


def receive(state: State) -> Rows:
    """The purchase order lines that arrive this morning; their units are in stock."""
    arrives = state.purchases["receive_day"] <= state.day
    received = state.purchases[arrives]
    np.add.at(state.on_hand, (received["site"], received["product"]), received["units"])
    state.purchases = state.purchases[~arrives]
    return received


def habit(shop: Shop, state: State) -> Ints:
    """(N, P) units to order by habit, an (s, S) policy: when stock and incoming fall under the trailing mean over the
    planned lead time, up to that and twelve days more, both with a flat safety margin and something for promotions."""
    catalogue = shop.catalogue
    lead = catalogue.suppliers.planned_days[catalogue.supplier]
    rate = state.sales_rate * (1 + _MORE_FOR_PROMOTIONS * _coming_depth(shop, state.day))
    least = _SAFETY * rate * (lead + 1) + 1
    most = least + rate * _cover_days(shop)
    position = state.on_hand + incoming(state)
    is_low = (position < least) & is_replenished(shop, state.day)
    return np.where(is_low, np.ceil(most - position), 0).astype(np.int64)


def _coming_depth(shop: Shop, day: int) -> Floats:
    """(P,) the deepest promotion of this week and the next."""
    weeks = [promotions_of_week(shop.catalogue, shop.seed, day // WEEK + ahead).depth for ahead in range(2)]
    return np.maximum(*weeks)


def _cover_days(shop: Shop) -> Floats:
    return np.where(shop.catalogue.is_perishable, 4, _COVER_DAYS)


def is_replenished(shop: Shop, day: int) -> Flags:
    """(P,) whether a product is worth ordering: sold now or within a fortnight, and not about to end."""
    catalogue = shop.catalogue
    return (catalogue.launch_day <= day + 14) & (catalogue.end_day > day + 14)


def order(shop: Shop, state: State, units: Ints) -> Rows:
    """Order (N, P) units, rounded up to the supplier's minimum and the product's pack; returns the lines. The lead time
    is luck of the item and the day, whatever the quantity."""
    site, product = np.nonzero(units > 0)
    catalogue, suppliers = shop.catalogue, shop.catalogue.suppliers
    supplier, multiple = catalogue.supplier[product], catalogue.order_multiple[product]
    at_least = np.maximum(units[site, product], suppliers.minimum_units[supplier])
    lines = np.zeros(len(site), PURCHASE)
    lines["number"] = state.next_purchase + np.arange(len(site))
    lines["site"], lines["product"], lines["supplier"], lines["day"] = site, product, supplier, state.day
    lines["units"] = -(-at_least // multiple) * multiple
    lines["unit_cost"] = catalogue.unit_cost[product]
    lines["expected_day"] = state.day + suppliers.planned_days[supplier]
    lines["receive_day"] = state.day + suppliers.lead_days(
        supplier, shop.luck(state.day).uniform("lead time", site, product)
    )
    state.next_purchase += len(lines)
    state.purchases = np.concatenate([state.purchases, lines])
    return lines


def throw_away(shop: Shop, state: State) -> Ints:
    """(N, P) units that are written off tonight: what is left of products whose time has ended, and of perishables
    a share of what lies beyond a few days' sales."""
    catalogue = shop.catalogue
    has_ended = catalogue.end_day <= state.day + 1
    beyond = np.maximum(state.on_hand - 4 * state.sales_rate, 0) / _SHELF_DAYS
    luck = shop.luck(state.day).uniform("spoils", *np.ogrid[: state.on_hand.shape[0], : catalogue.size])
    spoiled = np.where(catalogue.is_perishable, np.floor(beyond + luck), 0)
    wasted = np.where(has_ended, state.on_hand, np.minimum(spoiled, state.on_hand)).astype(np.int64)
    state.on_hand = (state.on_hand - wasted).astype(np.int32)
    return wasted


def remember_sales(shop: Shop, state: State, sold: Ints) -> None:
    """Move the trailing means of what is sold by today's units (N, P)."""
    change = np.float32(_MEMORY) * (sold - state.sales_rate)
    state.sales_rate += np.where(shop.catalogue.is_sold(state.day), change, 0).astype(np.float32)
