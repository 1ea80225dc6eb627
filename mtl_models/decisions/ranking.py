"""From scored candidates to ranked lists: caps, list length and a share of positions to learn from."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Integers = NDArray[np.int64]
Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

NOT_SHOWN = 0


def position_within(group: Integers, *order: NDArray[np.generic]) -> Integers:
    """Each row's position (1 is first) within its group, sorted by the `order` arrays, the first one leading. (n,)."""
    sorted_rows = np.lexsort((*reversed(order), group))
    sorted_groups = group[sorted_rows]
    starts = np.flatnonzero(np.r_[True, sorted_groups[1:] != sorted_groups[:-1]]) if len(group) else np.empty(0, int)
    lengths = np.diff(np.r_[starts, len(group)])
    positions = np.empty(len(group), np.int64)
    positions[sorted_rows] = np.arange(len(group)) - np.repeat(starts, lengths) + 1
    return positions


def rank_lists(
    list_number: Integers,
    score: Floats,
    tie_break: Integers,
    cap_number: Integers,
    cap: Floats,
    list_length: int,
    exploration_ratio: float = 0.0,
    lottery: Floats | None = None,
) -> tuple[Integers, Flags]:
    """Rank of each candidate in its list (1 is first, 0 is not shown), and whether it is shown to learn; (n,) each.

    Higher scores come first, equal ones by `tie_break`. Of the candidates of one list under one cap rule
    (`cap_number`, -1 for none) only the best `cap` are shown. The last `exploration_ratio` of the positions go
    to candidates that would not be shown otherwise, drawn by the smallest `lottery` number.
    """
    by_score = -score
    capped = cap_number >= 0
    keeps = np.ones(len(score), bool)
    if capped.any():
        caps = cap_number[capped]
        group = list_number[capped] * (int(caps.max()) + 1) + caps
        keeps[capped] = position_within(group, by_score[capped], tie_break[capped]) <= cap[capped]
    rank = np.full(len(score), NOT_SHOWN, np.int64)
    rank[keeps] = position_within(list_number[keeps], by_score[keeps], tie_break[keeps])

    explored = int(list_length * exploration_ratio)
    exploited = list_length - explored
    is_exploration = np.zeros(len(score), bool)
    if explored and lottery is not None:
        spare = keeps & (rank > exploited)
        drawn = position_within(list_number[spare], lottery[spare], tie_break[spare])
        rank[spare] = exploited + drawn
        is_exploration[spare] = drawn <= explored
    rank[rank > list_length] = NOT_SHOWN
    return rank, is_exploration
