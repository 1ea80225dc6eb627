"""The products and their suppliers as they really are: what the feeds show of them, and what they hide.

Shapes: P products in the order of their subcategories, K taste factors, C subcategories.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import numpy as np

from warehouse.sources.demo_shop.arrays import Flags, Floats, Ints
from warehouse.sources.demo_shop.assortment import DEPARTMENTS, SUBCATEGORIES, SUBCATEGORIES_EACH
from warehouse.sources.demo_shop.luck import Luck
from warehouse.sources.demo_shop.sizes import Size

TASTE_FACTORS = 8
# What a unit costs of its regular price: cost plus four fifths, for all alike.
COST_RATIO = 0.555
NEVER = 30_000
SUBSTITUTES = 3


@dataclass(frozen=True, kw_only=True)
class Suppliers:
    """Lead time is `planned_days` and a lateness of a Weibull law, `late_scale` days and `late_shape`; (N,) each."""

    planned_days: Ints
    late_scale: Floats
    late_shape: Floats
    minimum_units: Ints

    def lead_days(self, supplier: Ints, luck: Floats | float) -> Ints:
        """Whole days from order to receipt for luck between 0 and 1, which is also the quantile."""
        late = self.late_scale[supplier] * (-np.log1p(-np.asarray(luck, np.float32))) ** (1 / self.late_shape[supplier])
        return (self.planned_days[supplier] + np.rint(late)).astype(np.int32)


@dataclass(frozen=True, kw_only=True)
class Catalogue:
    """(P,) each, but `taste` (P, K), `substitutes` (P, 3) and `centres` (C, K). Money in cents.

    `quality`, `appeal` and `sensitivity` are hidden. `sensitivity`: utility lost when price grows by 1%, in percent.
    `launch_day` and `end_day` count from the shop's first day; `peak_day` from the first of January.
    """

    subcategory: Ints
    brand: Ints
    supplier: Ints
    regular_price: Ints
    unit_cost: Ints
    quality: Floats
    appeal: Floats
    sensitivity: Floats
    taste: Floats
    staple_share: Floats
    more_units: Floats
    returns: Floats
    swing: Floats
    peak_day: Ints
    launch_day: Ints
    end_day: Ints
    order_multiple: Ints
    is_perishable: Flags
    is_price_locked: Flags
    substitutes: Ints
    centres: Floats
    suppliers: Suppliers

    @property
    def department(self) -> Ints:
        """(P,) index in DEPARTMENTS."""
        return self.subcategory // SUBCATEGORIES_EACH

    @property
    def size(self) -> int:
        """How many products."""
        return len(self.brand)

    def is_sold(self, day: int) -> Flags:
        """(P,) whether the product is in the assortment that day."""
        return (self.launch_day <= day) & (self.end_day > day)

    def season(self, day: int, first_day: datetime) -> Floats:
        """(P,) what the time of the year adds to the utility."""
        day_of_year = first_day.timetuple().tm_yday + day
        phase = np.float32(2 * np.pi / 365.25) * (day_of_year - self.peak_day).astype(np.float32)
        return self.swing * np.cos(phase)

    @property
    def expected_units(self) -> Floats:
        """(P,) mean units of a line: each further unit, up to MOST_UNITS, comes with the chance `more_units`."""
        return (1 - self.more_units**MOST_UNITS) / (1 - self.more_units)


MOST_UNITS = 5


def make_catalogue(size: Size, seed: int) -> Catalogue:
    """The catalogue of a shop; the same size and seed give the same."""
    luck, count = Luck(seed, -1), size.products
    product = np.arange(count)
    subcategory = (product * len(SUBCATEGORIES) // count).astype(np.int32)
    of = [DEPARTMENTS[index] for index in range(len(DEPARTMENTS))]
    department = subcategory // SUBCATEGORIES_EACH
    brand = _brands(luck, size, subcategory)
    suppliers = _suppliers(luck, size.suppliers)
    centres = _centres(luck)
    taste = centres[subcategory] + 0.35 * luck.normal("taste", product[:, None], np.arange(TASTE_FACTORS))
    brand_tier = 0.25 * luck.normal("brand tier", brand)
    tier = brand_tier + 0.3 * luck.normal("tier", product)
    price = np.array([department.price for department in of], np.float32)[department] * np.exp(tier)
    regular_price = np.maximum(np.rint(price * 10) * 10 - 1, 99).astype(np.int32)
    sensitivity = (
        np.array([department.sensitivity for department in of], np.float32)[department]
        * np.exp(0.12 * luck.normal("subcategory sensitivity", subcategory) - 0.5 * brand_tier)
        * np.exp(0.15 * luck.normal("sensitivity", product))
    )
    is_late = luck.uniform("is launched later", product) < 0.08
    is_ending = ~is_late & (luck.uniform("is discontinued", product) < 0.06)
    some_day = (luck.uniform("day", product) * 1.2 * size.days).astype(np.int32)
    return Catalogue(
        subcategory=subcategory,
        brand=brand,
        supplier=(brand % size.suppliers).astype(np.int32),
        regular_price=regular_price,
        unit_cost=np.maximum(np.rint(regular_price * COST_RATIO * _cost_noise(luck, product)), 1).astype(np.int32),
        quality=(0.5 * luck.normal("brand quality", brand) + 0.85 * luck.normal("quality", product)).astype(np.float32),
        appeal=luck.normal("appeal", product),
        sensitivity=np.clip(0.85 * sensitivity, 0.8, 4.5).astype(np.float32),
        taste=taste.astype(np.float32),
        staple_share=_by_department("staple_share", department),
        more_units=_by_department("units", department),
        returns=_by_department("returns", department),
        swing=_by_department("swing", department) + 0.1 * luck.normal("swing", product),
        peak_day=(
            np.array([department.peak_day for department in of])[department] + 15 * luck.normal("peak", product)
        ).astype(np.int32),
        launch_day=np.where(is_late, some_day, -1).astype(np.int32),
        end_day=np.where(is_ending, some_day + 20, NEVER).astype(np.int32),
        order_multiple=np.array([1, 6, 12, 24])[(luck.uniform("pack", product) * 4).astype(int)].astype(np.int32),
        is_perishable=np.array([department.is_perishable for department in of])[department],
        is_price_locked=luck.uniform("is price locked", product) < 0.03,
        substitutes=_substitutes(luck, subcategory),
        centres=centres,
        suppliers=suppliers,
    )


def _by_department(attribute: str, department: Ints) -> Floats:
    return np.array([getattr(each, attribute) for each in DEPARTMENTS], np.float32)[department]


def _cost_noise(luck: Luck, product: Ints) -> Floats:
    return np.exp(0.06 * luck.normal("cost", product))


def _brands(luck: Luck, size: Size, subcategory: Ints) -> Ints:
    """A brand lives in one department; in each a few brands have most products."""
    each = max(size.brands // len(DEPARTMENTS), 1)
    place = (luck.uniform("brand", np.arange(len(subcategory))) ** 1.7 * each).astype(np.int32)
    return (subcategory // SUBCATEGORIES_EACH * each + place).astype(np.int32)


def _suppliers(luck: Luck, count: int) -> Suppliers:
    supplier = np.arange(count)
    return Suppliers(
        planned_days=(3 + luck.uniform("planned", supplier) * 10).astype(np.int32),
        late_scale=(0.4 + 3.5 * luck.uniform("late scale", supplier) ** 2).astype(np.float32),
        late_shape=(0.9 + luck.uniform("late shape", supplier)).astype(np.float32),
        minimum_units=np.array([1, 6, 12, 24])[(luck.uniform("minimum", supplier) * 4).astype(int)].astype(np.int32),
    )


def _centres(luck: Luck) -> Floats:
    """(C, K): subcategories of one department lie close together."""
    factor, each = np.arange(TASTE_FACTORS), np.arange(len(SUBCATEGORIES))[:, None]
    by_department = 0.8 * luck.normal("department", each // SUBCATEGORIES_EACH, factor)
    return (by_department + 0.45 * luck.normal("subcategory", each, factor)).astype(np.float32) / np.float32(2)


def _substitutes(luck: Luck, subcategory: Ints) -> Ints:
    """(P, 3) other products of the same subcategory, the product itself where there is no other."""
    product = np.arange(len(subcategory))[:, None]
    first = np.searchsorted(subcategory, subcategory)[:, None]
    count = np.searchsorted(subcategory, subcategory, side="right")[:, None] - first
    step = 1 + (luck.uniform("substitute", product, np.arange(SUBSTITUTES)) * np.maximum(count - 1, 1)).astype(int)
    return (first + (product - first + step) % count).astype(np.int32)
