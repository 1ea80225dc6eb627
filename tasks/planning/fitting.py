"""Costs as a start and so much for each piece of work, all of them or until something is full."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np

# Costs below that are as good as none.
LEAST = 0.1


def fit_costs(costs: Sequence[float], work: Sequence[float]) -> tuple[float, float]:
    """(start, cost of a piece) that come closest to the costs in proportion, neither of them negative."""
    start, each, _ = _fit(tuple(costs), tuple(work))
    return start, each


def fit_filling(costs: Sequence[float], work: Sequence[float]) -> tuple[float, float, float]:
    """(start, cost of a piece, pieces): the same, where so many pieces fill what they cost and more cost nothing; as
    many as there were at most where nothing was seen to fill."""
    fits = {
        full: _fit(tuple(costs), tuple(min(pieces, full) for pieces in work)) for full in sorted(work, reverse=True)
    }
    full, (start, each, _) = min(fits.items(), key=lambda fit: fit[1][2])
    return start, each, full


@lru_cache(maxsize=4096)  # a plan asks the same few nights about shops of many sizes
def _fit(costs: tuple[float, ...], work: tuple[float, ...]) -> tuple[float, float, float]:
    """(start, cost of a piece, squared error in proportion)."""
    seen, pieces = np.asarray(costs, dtype=float), np.asarray(work, dtype=float)
    unit = max(float(np.abs(pieces).max(initial=0.0)), 1.0)
    weights = 1 / np.maximum(seen, LEAST)
    columns = np.column_stack([weights, pieces / unit * weights])
    wanted = seen * weights
    # The best of both, of a start alone and of pieces alone: one of them is the best that is not negative.
    found = [np.linalg.lstsq(columns * chosen, wanted, rcond=None)[0] for chosen in ([1, 1], [1, 0], [0, 1])]
    error, (start, each) = min(
        ((float(((columns @ costs - wanted) ** 2).sum()), costs) for costs in found if (costs >= 0).all()),
        key=lambda pair: pair[0],
    )
    return float(start), float(each) / unit, error
