"""Which price to set: a grid around the current price, guardrails, and the best price that they allow.

Shapes: n products, k prices tried for each, m demand rows (a product's weeks and sites).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from mtl_models.demand_curve import units_at

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

CENT = 0.01
DAYS_OF_WEEK = 7
# Prices are kept to four decimals, so a limit may be missed by half of the last one.
TOLERANCE = 1e-4
# The what-if spans at least this share of the current price either way, also where the price must not change.
SMALLEST_SPAN = 0.05


class Guardrail(IntEnum):
    """What may forbid a price, in the order in which it is named."""

    NONE = 0
    PRICE_LOCK = 1
    PRICE_FLOOR = 2
    PRICE_CEILING = 3
    MINIMUM_MARGIN = 4
    MAXIMUM_CHANGE = 5
    STOCK = 6
    PRICE_ENDINGS = 7


@dataclass(frozen=True, kw_only=True)
class Limits:
    """The guardrails of n products; NaN where there is none. `stock_units`: units that a cut may not
    exceed within `stock_days`, nor `week_units` within 7, so that no discount runs into a stock-out."""

    is_locked: Flags
    floor: Floats
    ceiling: Floats
    minimum_margin_ratio: Floats
    maximum_change_ratio: Floats
    unit_cost: Floats
    stock_units: Floats
    stock_days: Floats
    week_units: Floats


@dataclass(frozen=True, kw_only=True)
class Response:
    """What the demand curve says for each price of the grid; (n, k) each, NaN where the grid has no price.

    `objective` is margin where the unit cost is known, else revenue.
    """

    units: Floats
    revenue: Floats
    margin: Floats

    @property
    def objective(self) -> Floats:
        """(n, k) money over the horizon: margin where known, else revenue."""
        return np.where(np.isnan(self.margin), self.revenue, self.margin)


@dataclass(frozen=True, kw_only=True)
class Choice:
    """The recommended price: its column in the grid, and the guardrail that stopped a better one; (n,) each."""

    column: NDArray[np.int64]
    binding: NDArray[np.int8]


def snap(price: Floats, endings: Sequence[float], *, upward: bool) -> Floats:
    """The nearest price with an allowed ending, not below (`upward`) or not above `price`; without endings
    the nearest cent. Same shape as `price`; not positive where there is no such price.
    """
    if not endings:
        cents = price / CENT
        return (np.ceil(cents - TOLERANCE) if upward else np.floor(cents + TOLERANCE)) * CENT
    ends = np.asarray(endings).reshape(-1, *[1] * price.ndim)
    if upward:
        return (np.ceil(price - ends - TOLERANCE) + ends).min(axis=0)
    return (np.floor(price - ends + TOLERANCE) + ends).max(axis=0)


def price_grid(
    current: Floats, maximum_change_ratio: Floats, endings: Sequence[float], steps: int
) -> tuple[Floats, Flags]:
    """Prices to try, and whether each has an allowed ending; (n, steps) each, rising, NaN where two fall together.

    Column `steps // 2` is the current price. About half of the others lie beyond the largest change allowed,
    so that the what-if shows what the guardrail costs. A step takes the price with an allowed ending
    between itself and the step before, else its own price to the cent, which the endings then forbid.
    """
    centre = steps // 2
    offsets = np.arange(steps) - centre
    width = np.maximum(maximum_change_ratio, SMALLEST_SPAN) / np.ceil(centre / 2)
    targets = current[:, None] * (1 + width[:, None] * offsets)
    inner = current[:, None] * (1 + width[:, None] * (offsets - np.sign(offsets)))
    rises = offsets > 0
    snapped = np.where(rises, snap(targets, endings, upward=False), snap(targets, endings, upward=True))
    is_inside = np.where(rises, snapped > inner + TOLERANCE, snapped < inner - TOLERANCE)
    prices = np.where(is_inside, snapped, np.round(targets, 2))
    prices[:, centre] = current
    is_ending = is_inside.copy()
    is_ending[:, centre] = True
    # Very small prices fall together on one cent: the current one stays, the others give way.
    repeats = np.zeros_like(is_ending)
    repeats[:, centre + 1 :] = np.diff(prices[:, centre:]) < CENT / 2
    repeats[:, :centre] = np.diff(prices[:, : centre + 1]) < CENT / 2
    return np.where(repeats | (prices < CENT / 2), np.nan, np.round(prices, 4)), is_ending


def respond(
    prices: Floats,
    unit_cost: Floats,
    product: NDArray[np.int64],
    units: Floats,
    price_assumed: Floats,
    elasticity: Floats,
) -> Response:
    """What selling at each price of the grid brings.

    `product` (m,) is each demand row's row of the grid; `units`, `price_assumed` and `elasticity` (m,) are
    its demand, the price that this assumes, and its slope. A new price moves every week's price by the same ratio
    to the current one, so that a planned promotion keeps its depth.
    """
    count, steps = prices.shape
    current = prices[:, steps // 2]
    grid_units, revenue = np.empty_like(prices), np.empty_like(prices)
    for step in range(steps):
        weekly_price = price_assumed * (prices[:, step] / current)[product]
        weekly_units = np.asarray(units_at(units, elasticity, price_assumed, weekly_price))
        grid_units[:, step] = np.bincount(product, weekly_units, minlength=count)
        revenue[:, step] = np.bincount(product, weekly_units * weekly_price, minlength=count)
    return Response(units=grid_units, revenue=revenue, margin=revenue - grid_units * unit_cost[:, None])


def first_forbidding(
    prices: Floats, units: Floats, is_ending: Flags, limits: Limits, horizon_days: int
) -> NDArray[np.int8]:
    """The first guardrail that forbids each price, NONE where all allow it; (n, k).

    The current price is judged by floor, ceiling and margin alone: keeping it is no change.
    """
    centre = prices.shape[1] // 2
    current = prices[:, centre, None]
    change = np.abs(prices / current - 1)
    is_change = np.arange(prices.shape[1]) != centre
    margin_ratio = 1 - limits.unit_cost[:, None] / prices
    is_short = units * (limits.stock_days / horizon_days)[:, None] > limits.stock_units[:, None]
    is_short |= units * (DAYS_OF_WEEK / horizon_days) > limits.week_units[:, None]
    tests = {
        Guardrail.PRICE_LOCK: limits.is_locked[:, None] & is_change,
        Guardrail.PRICE_FLOOR: prices < limits.floor[:, None] - TOLERANCE,
        Guardrail.PRICE_CEILING: prices > limits.ceiling[:, None] + TOLERANCE,
        Guardrail.MINIMUM_MARGIN: margin_ratio < limits.minimum_margin_ratio[:, None] - TOLERANCE,
        Guardrail.MAXIMUM_CHANGE: is_change & (change > limits.maximum_change_ratio[:, None] + TOLERANCE),
        Guardrail.STOCK: (prices < current) & is_short,
        Guardrail.PRICE_ENDINGS: ~is_ending,
    }
    forbidden = np.select(list(tests.values()), [int(guardrail) for guardrail in tests], default=Guardrail.NONE)
    return forbidden.astype(np.int8)


def choose_price(prices: Floats, response: Response, forbidden: NDArray[np.int8], may_change: Flags) -> Choice:
    """The allowed price with the largest objective; the current one where the product may not change or
    nothing is allowed. Of equally good prices the one nearest to the current one wins.
    """
    count, steps = prices.shape
    centre = steps // 2
    rows = np.arange(count)
    objective = np.where(np.isnan(prices), -np.inf, response.objective)
    is_allowed = (forbidden == Guardrail.NONE) & ~np.isnan(prices)
    allowed = np.where(is_allowed, objective, -np.inf)
    by_distance = np.argsort(np.abs(np.arange(steps) - centre), kind="stable")
    best = by_distance[np.argmax(allowed[:, by_distance], axis=1)]
    column = np.where(may_change & is_allowed.any(axis=1), best, centre)
    # The next price that would be better still is one that a guardrail forbids, or it would have been chosen.
    chosen = objective[rows, column, None]
    is_better = objective > chosen + 1e-9 * (1 + np.abs(chosen))
    distance = np.where(is_better, np.abs(np.arange(steps) - column[:, None]), steps)
    stopped_by = np.where(is_better.any(axis=1) & may_change, forbidden[rows, distance.argmin(axis=1)], Guardrail.NONE)
    own = forbidden[rows, column]
    return Choice(column=column, binding=np.where(own != Guardrail.NONE, own, stopped_by).astype(np.int8))
