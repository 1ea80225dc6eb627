"""How late suppliers are: the distribution of days from the promised to the real receipt, supplier by supplier.

A discrete hazard for each day (the chance that what has not come until then comes on it), from lines received and from
open ones, which have only not come yet: what the estimator of Kaplan and Meier (1958) does with censored waits. A
supplier's hazard is drawn towards the shop's as by a beta process prior (Hjort 1990), so that one with few lines is
taken for a usual one.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

# Lines of a usual supplier that each supplier is given on top of its own.
PRIOR_LINES = 4.0
# Whoever is further from the promise than this has made a mistake in the feed.
MOST_DAYS = 90


def late_days_quantiles(
    supplier: Ints, late_days: Ints, is_received: NDArray[np.bool_], suppliers: int, levels: tuple[float, ...]
) -> Floats:
    """(suppliers, levels) quantiles of the days after the promise, negative where a supplier is early.

    One entry a line: the number of its supplier, whole days late, and whether it was received then; an open line is as
    late as it is so far, and that day is not over. A day's share is spread evenly over the day, half before and half
    after, so that quantiles of whole days are neither always above nor below their level. ValueError without a
    received line.
    """
    if not is_received.any():
        raise ValueError("no line was received: there is nothing to learn a lead time from")
    day = np.clip(late_days, -MOST_DAYS, MOST_DAYS) + MOST_DAYS
    received = _count(supplier[is_received], day[is_received], suppliers)
    last_seen = _count(supplier, np.where(is_received, day, day - 1), suppliers)
    waiting = last_seen[:, ::-1].cumsum(axis=1)[:, ::-1]  # (suppliers, days) not received before that day
    usual = received.sum(axis=0) / np.maximum(waiting.sum(axis=0), 1)
    hazard = (received + PRIOR_LINES * usual) / (waiting + PRIOR_LINES)
    received_by = 1 - np.cumprod(1 - hazard, axis=1)
    return np.stack([_quantile(received_by, level) for level in levels], axis=1)


def _count(supplier: Ints, day: Ints, suppliers: int) -> Floats:
    """(suppliers, days) lines; a line seen on no day is on none."""
    days = 2 * MOST_DAYS + 1
    is_seen = day >= 0
    cells = np.bincount(supplier[is_seen] * days + day[is_seen], minlength=suppliers * days)
    return cells.reshape(suppliers, days).astype(np.float64)


def _quantile(received_by: Floats, level: float) -> Floats:
    """(suppliers,) where the distribution reaches the level; the last day seen where it never does."""
    reached = np.argmax(received_by >= level, axis=1)
    is_reached = received_by[:, -1] >= level
    rows = np.arange(len(received_by))
    after = received_by[rows, reached]
    before = np.where(reached > 0, received_by[rows, reached - 1], 0.0)
    inside = (level - before) / np.maximum(after - before, 1e-12)
    last_day = received_by.shape[1] - 1 - np.argmax(np.diff(received_by[:, ::-1], axis=1) < 0, axis=1)
    return np.where(is_reached, reached - 0.5 + inside, last_day) - MOST_DAYS
