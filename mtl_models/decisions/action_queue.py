"""What to do first: the actions of all heads in one order."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mtl_models.decisions.ranking import position_within

# A person reads a morning's list, not a table: each head may put this many actions on it.
ACTIONS_PER_HEAD = 50
LEFT_OUT = 0


def rank_actions(
    head: NDArray[np.int64],
    value: NDArray[np.float64],
    is_margin: NDArray[np.bool_],
    margin_ratio: float,
    tie_break: NDArray[np.int64],
) -> NDArray[np.int64]:
    """Rank of each action (1 is first, 0 is left out), most valuable first; (n,).

    Where costs are not known a value is revenue: it counts with the shop's usual `margin_ratio`, so that
    it does not outrank real margin. Each head keeps its 50 most valuable actions.
    """
    worth = np.where(is_margin, value, value * margin_ratio)
    keeps = position_within(head, -worth, tie_break) <= ACTIONS_PER_HEAD
    rank = np.full(len(value), LEFT_OUT, np.int64)
    rank[keeps] = position_within(np.zeros(int(keeps.sum()), np.int64), -worth[keeps], tie_break[keeps])
    return rank
