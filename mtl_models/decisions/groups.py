"""Rows in sorted groups: where each group begins, and sums within it."""

from __future__ import annotations

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

Integers = NDArray[np.int64]
Number = TypeVar("Number", np.int64, np.float64)


def starts_and_lengths(group: Integers) -> tuple[Integers, Integers]:
    """First row and number of rows of each group of the sorted `group` (n,); (groups,) each."""
    starts = np.flatnonzero(np.r_[True, group[1:] != group[:-1]]) if len(group) else np.empty(0, np.int64)
    return starts, np.diff(np.r_[starts, len(group)])


def running_sum(group: Integers, amount: NDArray[Number]) -> NDArray[Number]:
    """Sum of the amounts of the sorted `group` up to and with each row. (n,)."""
    total = np.cumsum(amount)
    starts, lengths = starts_and_lengths(group)
    before = np.r_[np.zeros(1, total.dtype), total][starts]
    return total - np.repeat(before, lengths)
