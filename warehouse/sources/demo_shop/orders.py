"""A day's sales as orders and lines: money to the cent, the coupon, and the fate of the parcel."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from warehouse.sources.demo_shop import laws
from warehouse.sources.demo_shop.arrays import Ints, Rows
from warehouse.sources.demo_shop.luck import Luck
from warehouse.sources.demo_shop.market import Market
from warehouse.sources.demo_shop.names import A_DAY
from warehouse.sources.demo_shop.plan import COUPON_CENTS, COUPON_MINIMUM_CENTS, NO_PROMOTION, WEEK, campaign_of_day
from warehouse.sources.demo_shop.sales import Sales
from warehouse.sources.demo_shop.shop import Shop
from warehouse.sources.demo_shop.state import LINE, ORDER, State

SHIPPING_CENTS, FREE_SHIPPING_CENTS = 395, 4_000
CHECKOUT_SECONDS = 600
PROMOTIONS_A_WEEK = 16
NOT_YET = -1


def make_orders(shop: Shop, state: State, market: Market, sales: Sales) -> tuple[Rows, Rows]:
    """One order of each user who got something, and a line for each product; `state` gives the numbers."""
    luck = shop.luck(market.day)
    user, first, lines_each = np.unique(sales.rows.user, return_index=True, return_counts=True)
    lines = _lines(state, market, sales, np.repeat(np.arange(len(user)), lines_each))
    orders = np.zeros(len(user), ORDER)
    if not len(orders):
        return orders, lines
    orders["number"] = state.next_order + np.arange(len(user))
    orders["user"], orders["site"], orders["day"] = user, shop.people.site[user], market.day
    orders["second"] = sales.rows.second[first] + CHECKOUT_SECONDS
    orders["first_product"] = sales.rows.product[first]
    orders["subtotal"] = _sum(lines["list_price"] * lines["units"], first)
    orders["discount"] = orders["subtotal"] - _sum(lines["total"], first)
    _redeem(shop, state, luck, orders, lines, first)
    _send(shop, state, luck, orders, lines, first, sales)
    lines["site"] = np.repeat(orders["site"], lines_each)
    for name in ("ship_day", "deliver_day"):
        lines[name] = np.repeat(orders[name], lines_each)
    return orders, lines


def _lines(state: State, market: Market, sales: Sales, order: Ints) -> Rows:
    rows = sales.rows
    lines = np.zeros(len(order), LINE)
    lines["number"] = state.next_line + np.arange(len(order))
    lines["order"] = state.next_order + order
    lines["user"], lines["product"], lines["units"] = rows.user, rows.product, rows.units
    lines["price"] = market.shelf_price[rows.product]
    lines["list_price"] = market.list_price[rows.product]
    lines["total"] = lines["price"] * lines["units"]
    number = market.promotions.number[rows.product]
    in_week = market.promotions.week * PROMOTIONS_A_WEEK + number
    lines["promotion"] = np.where(number == NO_PROMOTION, NO_PROMOTION, in_week)
    lines["day"] = market.day
    lines["return_day"] = lines["review_day"] = NOT_YET
    return lines


def _redeem(shop: Shop, state: State, luck: Luck, orders: Rows, lines: Rows, first: Ints) -> None:
    """Take the coupon off an order with a product of the campaign, shared among its lines by their totals, and
    charge shipping on what is left."""
    user, paid = orders["user"], orders["subtotal"] - orders["discount"]
    campaign = campaign_of_day(shop.seed, int(orders["day"][0]))
    orders["campaign"] = NOT_YET
    if campaign is not None:
        is_covered = shop.catalogue.department[lines["product"]] == campaign.department
        is_covered &= shop.catalogue.is_sold(campaign.first_day)[lines["product"]]
        covered = _sum(is_covered, first) > 0
        remembers = luck.uniform("redeems", user) < 0.35 + 0.6 * shop.people.deal_love[user]
        redeems = state.has_coupon[user] & covered & remembers & (paid >= COUPON_MINIMUM_CENTS)
        orders["campaign"] = np.where(redeems, campaign.number, NOT_YET)
        orders["coupon_discount"] = np.where(redeems, COUPON_CENTS, 0)
        _share_coupon(orders, lines, first, paid)
    left = paid - orders["coupon_discount"]
    orders["shipping"] = np.where(left < FREE_SHIPPING_CENTS, SHIPPING_CENTS, 0)


def _share_coupon(orders: Rows, lines: Rows, first: Ints, paid: Ints) -> None:
    """Cumulated shares are rounded, so that the lines' parts add up to the coupon exactly."""
    each = _lines_each(first, lines)
    total = lines["total"].astype(np.int64)
    upto = np.cumsum(total)
    upto -= np.repeat(upto[first] - total[first], each)
    coupon, whole = (np.repeat(values.astype(np.int64), each) for values in (orders["coupon_discount"], paid))
    lines["total"] = total - (coupon * upto // whole - coupon * (upto - total) // whole)


def _send(shop: Shop, state: State, luck: Luck, orders: Rows, lines: Rows, first: Ints, sales: Sales) -> None:
    """The promise, and when the parcel will leave and arrive."""
    site, day, user = orders["site"], orders["day"], orders["user"]
    load = np.bincount(site, minlength=len(state.usual_orders)) / np.maximum(state.usual_orders, 1)
    is_last_unit = sales.sold_out_second[np.repeat(site, _lines_each(first, lines)), lines["product"]] < A_DAY
    carrier = shop.luck(int(day[0]) // WEEK * WEEK).uniform("carrier", np.arange(len(load)))
    orders["quality"] = np.minimum.reduceat(shop.catalogue.quality[lines["product"]], first)
    orders["promised_day"] = day + laws.PROMISED_DAYS
    orders["ship_chance"] = laws.ship_chance(load[site], _sum(is_last_unit, first) > 0)
    orders["arrive_chance"] = laws.arrive_chance(carrier)[site]
    orders["ship_day"] = day + 1 + luck.waiting("ships", orders["ship_chance"], user)
    orders["deliver_day"] = orders["ship_day"] + 1 + luck.waiting("arrives", orders["arrive_chance"], user)
    orders["contact_day"] = NOT_YET


def _lines_each(first: Ints, lines: Rows) -> Ints:
    return np.diff(np.append(first, len(lines)))


def _sum(values: NDArray[np.generic], first: Ints) -> Ints:
    """Sums over the lines of each order."""
    return np.add.reduceat(values.astype(np.int64), first)
