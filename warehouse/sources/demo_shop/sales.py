"""From wishes to sales: stock goes to whoever comes first; some take a substitute for what is not there."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from warehouse.sources.demo_shop.arrays import Flags, Ints
from warehouse.sources.demo_shop.catalogue import MOST_UNITS, Catalogue
from warehouse.sources.demo_shop.luck import Luck
from warehouse.sources.demo_shop.names import A_DAY
from warehouse.sources.demo_shop.people import People
from warehouse.sources.demo_shop.shop import Shop

OPENING_SECOND, OPEN_SECONDS = 6 * 3600, 16 * 3600


@dataclass(frozen=True)
class Wishes:
    """Rows of who wants what; (n,) each. `column`: where in the visit it was met."""

    user: Ints
    product: Ints
    column: Ints
    units: Ints
    second: Ints

    def where(self, keep: Flags) -> Wishes:
        """The rows to keep."""
        return Wishes(self.user[keep], self.product[keep], self.column[keep], self.units[keep], self.second[keep])


@dataclass(frozen=True)
class Sales:
    """What was sold: rows like the wishes, by user and product, and `sold_out_second` (N, P): when the last unit of
    an item went; 0 where none was there all day, and a day's seconds where some was left."""

    rows: Wishes
    sold_out_second: Ints


def wishes_of(user: Ints, product: Ints, column: Ints, catalogue: Catalogue, luck: Luck) -> Wishes:
    """The wishes with their units (the first, and each next by the product's chance) and the second of the day."""
    draw, chance = luck.uniform("units", user, product), catalogue.more_units[product]
    more = np.minimum(np.floor(np.log(draw) / np.log(chance)), MOST_UNITS - 1)
    return Wishes(user, product, column, 1 + more.astype(np.int64), visit_second(luck, user))


def visit_second(luck: Luck, user: Ints) -> Ints:
    """Second of the day at which a user's visit begins; most in the afternoon."""
    moment = (luck.uniform("hour", user) + luck.uniform("later hour", user)) / 2
    return (OPENING_SECOND + moment * OPEN_SECONDS).astype(np.int64)


def sell(shop: Shop, wishes: Wishes, on_hand: Ints, luck: Luck, day: int) -> Sales:
    """Sell until the stock is gone; `on_hand` (N, P) is left as it is."""
    people, left = shop.people, on_hand.astype(np.int64)
    granted = _grant(wishes, people, left)
    second_best = _substitutes(shop, wishes.where(granted == 0), luck, day)
    is_new = ~np.isin(_pair(second_best.user, second_best.product), _pair(wishes.user, wishes.product))
    second_best = second_best.where(is_new)
    rows = _together(wishes, granted, second_best, _grant(second_best, people, left))
    return Sales(rows, _sold_out(rows, people, left))


def _grant(wishes: Wishes, people: People, left: Ints) -> Ints:
    """(n,) units that each wish gets in the order of the day; taken from `left`."""
    item = people.site[wishes.user].astype(np.int64) * left.shape[1] + wishes.product
    order = np.lexsort((wishes.second, item))
    item, units = item[order], wishes.units[order]
    before = np.cumsum(units) - units
    first = np.searchsorted(item, item)
    available = left.reshape(-1)[item]
    got = np.clip(available - (before - before[first]), 0, units)
    np.subtract.at(left.reshape(-1), item, got)
    granted = np.empty_like(got)
    granted[order] = got
    return granted


def _substitutes(shop: Shop, missed: Wishes, luck: Luck, day: int) -> Wishes:
    """Wishes for a product of the same kind, of those users who take one; one of each product and user."""
    catalogue, people = shop.catalogue, shop.people
    choices = catalogue.substitutes.shape[1]
    choice = (luck.uniform("which substitute", missed.user, missed.product) * choices).astype(int)
    product = catalogue.substitutes[missed.product, choice].astype(np.int64)
    takes = luck.uniform("takes a substitute", missed.user, missed.product) < people.substitution[missed.user]
    takes &= catalogue.is_sold(day)[product] & (product != missed.product)
    _, first = np.unique(_pair(missed.user, product), return_index=True)
    is_first = np.zeros(len(takes), bool)
    is_first[first] = True
    return Wishes(missed.user, product, missed.column, missed.units, missed.second).where(takes & is_first)


def _pair(user: Ints, product: Ints) -> Ints:
    return user.astype(np.int64) * 2**32 + product


def _together(first: Wishes, granted: Ints, then: Wishes, granted_then: Ints) -> Wishes:
    parts = [(first, granted), (then, granted_then)]
    user, product, column, second = (
        np.concatenate([getattr(part, name) for part, _ in parts]) for name in ("user", "product", "column", "second")
    )
    units = np.concatenate([granted, granted_then])
    rows = Wishes(user, product, column, units, second)
    order = np.argsort(_pair(user, product), kind="stable")
    order = order[units[order] > 0]
    return Wishes(*(getattr(rows, name)[order] for name in ("user", "product", "column", "units", "second")))


def _sold_out(rows: Wishes, people: People, left: Ints) -> Ints:
    """(N, P) second at which the last unit went."""
    last = np.zeros(left.shape, np.int64)
    np.maximum.at(last, (people.site[rows.user], rows.product), rows.second)
    return np.where(left > 0, A_DAY, last)
