"""What the shop plans by habit: regular prices and their small tests, weekly promotions, fortnightly campaigns.

All of it is random by design and independent of demand, so that what a price does can be told from what happens with
it. The plan of any day follows from the seed alone: nothing is kept. Days count from the shop's first day, a Monday.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from warehouse.sources.demo_shop.arrays import Flags, Floats, Ints
from warehouse.sources.demo_shop.assortment import DEPARTMENTS
from warehouse.sources.demo_shop.catalogue import Catalogue
from warehouse.sources.demo_shop.luck import Luck

DAYS_AHEAD = 28
WEEK = 7
TEST_DAYS = 14
KNOWN_AHEAD_DAYS = DAYS_AHEAD + WEEK
CAMPAIGN_DAYS = 14
CAMPAIGN_KNOWN_DAYS = 7
COUPON_CENTS = 500
COUPON_MINIMUM_CENTS = 2_000
TARGETED_SHARE = 0.25

DEPTHS = np.array([0.0, 0.10, 0.15, 0.20, 0.25, 0.30, 0.35], np.float32)
_PRICE_TESTS = np.array([0.9, 0.95, 1.0, 1.0, 1.05, 1.1], np.float32)
# The front page is drawn apart from the prices, so that its effect is not taken for theirs.
_PROMOTED_SHARE, _DISPLAYED_SHARE = 0.22, 0.08
NO_PROMOTION = -1


@dataclass(frozen=True)
class Promotions:
    """A week's promotions: of each product its promotion's number within the week (NO_PROMOTION without), whose depth
    is `DEPTHS[number // 2]`, and which is displayed when the number is odd; (P,). Number 1 is a display alone."""

    week: int
    number: Ints

    @property
    def depth(self) -> Floats:
        """(P,) share off the regular price."""
        return np.where(self.number == NO_PROMOTION, 0, DEPTHS[self.number // 2]).astype(np.float32)

    @property
    def is_displayed(self) -> Flags:
        """(P,) whether the front page shows the product."""
        return (self.number != NO_PROMOTION) & (self.number % 2 == 1)


@dataclass(frozen=True)
class Campaign:
    """A coupon for products of one department, from `first_day` for CAMPAIGN_DAYS."""

    number: int
    department: int

    @property
    def first_day(self) -> int:
        """Day of the first morning."""
        return (self.number + 1) * CAMPAIGN_DAYS

    @property
    def campaign_id(self) -> str:
        """Id, as in the feeds."""
        return f"C{1000 + self.number}"


def is_known(catalogue: Catalogue, day: int) -> Flags:
    """(P,) whether a product is in the shop's books that day: long enough ahead that it may be planned for."""
    return catalogue.launch_day <= day + KNOWN_AHEAD_DAYS


def promotions_of_week(catalogue: Catalogue, seed: int, week: int) -> Promotions:
    """Which of the products sold by then are promoted that week, and how: at random, but locked prices never."""
    luck, product = Luck(seed, week * WEEK), np.arange(catalogue.size)
    draw, depth = luck.uniform("promoted", product), luck.uniform("depth", product)
    index = np.where(draw < _PROMOTED_SHARE, 1 + (depth * (len(DEPTHS) - 1)).astype(np.int32), 0)
    is_displayed = luck.uniform("displayed", product) < _DISPLAYED_SHARE
    number = np.where((index > 0) | is_displayed, 2 * index + is_displayed, NO_PROMOTION)
    may = catalogue.is_sold(week * WEEK) & ~catalogue.is_price_locked
    return Promotions(week, np.where(may, number, NO_PROMOTION).astype(np.int32))


def regular_prices(catalogue: Catalogue, seed: int, day: int) -> Ints:
    """(P,) cents: cost plus, and a small test that a product changes every fortnight, each on a day of its own."""
    product = np.arange(catalogue.size)
    start = (Luck(seed, -1).uniform("test start", product) * TEST_DAYS).astype(np.int32)
    fortnight = (day + start) // TEST_DAYS
    test = _PRICE_TESTS[(Luck(seed, -1).uniform("price test", product, fortnight) * len(_PRICE_TESTS)).astype(int)]
    tested = price_point(catalogue.regular_price * test)
    return np.where(catalogue.is_price_locked | (day < 0), catalogue.regular_price, tested)


def price_point(cents: Floats) -> Ints:
    """The nearest price that ends with 9 cents, at least 0.09."""
    return np.maximum(np.rint((cents - 9) / 10) * 10 + 9, 9).astype(np.int32)


def campaign_of_day(seed: int, day: int) -> Campaign | None:
    """The campaign that runs that day; None in the first fortnight."""
    if day < CAMPAIGN_DAYS:
        return None
    return campaign(seed, day // CAMPAIGN_DAYS - 1)


def campaign(seed: int, number: int) -> Campaign:
    """The campaign of that number; each in a department drawn at random."""
    draw = Luck(seed, -1).uniform("campaign department", number)
    return Campaign(number, int(draw * len(DEPARTMENTS)))
