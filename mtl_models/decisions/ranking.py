"""From sorted candidates to ranked lists: caps, list length and a share of positions to learn from."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mtl_models.decisions.groups import running_sum, starts_and_lengths

Integers = NDArray[np.int64]
Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

NOT_SHOWN = 0


def position_within(group: Integers, *order: NDArray[np.generic]) -> Integers:
    """Each row's position (1 is first) within its group, sorted by the `order` arrays, the first one leading. (n,)."""
    sorted_rows = np.lexsort((*reversed(order), group))
    sorted_groups = group[sorted_rows]
    starts, lengths = starts_and_lengths(sorted_groups)
    positions = np.empty(len(group), np.int64)
    positions[sorted_rows] = np.arange(len(group)) - np.repeat(starts, lengths) + 1
    return positions


def rank_lists(
    list_number: Integers,
    may_show: Flags,
    cap_number: Integers,
    cap: Floats,
    list_length: int,
    exploration_ratio: Floats | float = 0.0,
    lottery: Floats | None = None,
) -> tuple[Integers, Flags]:
    """Rank of each candidate in its list (1 is first, 0 is not shown), and whether it is shown to learn; (n,) each.

    Candidates come sorted by `list_number`, the best of a list first. Of those that `may_show`, and of these of the
    candidates of one list under one cap rule (`cap_number`, -1 for none) only the best `cap`, the first `list_length`
    are shown. The last `exploration_ratio` of the positions, which may differ from list to list (n,), go to candidates
    that would not be shown otherwise, drawn by the smallest `lottery` number.
    """
    keeps = may_show.copy()
    capped = np.flatnonzero(may_show & (cap_number >= 0))
    if len(capped):
        group = list_number[capped] * (int(cap_number.max()) + 1) + cap_number[capped]
        keeps[capped] = position_within(group, capped) <= cap[capped]
    rank = np.where(keeps, running_sum(list_number, keeps.astype(np.int64)), NOT_SHOWN)

    explored = np.broadcast_to(np.floor(list_length * np.asarray(exploration_ratio)).astype(np.int64), rank.shape)
    is_exploration = np.zeros(len(rank), bool)
    if explored.any() and lottery is not None:
        spare = (rank > list_length - explored) & (explored > 0)
        drawn = position_within(list_number[spare], lottery[spare], np.flatnonzero(spare))
        rank[spare] = list_length - explored[spare] + drawn
        is_exploration[spare] = drawn <= explored[spare]
    rank[rank > list_length] = NOT_SHOWN
    return rank, is_exploration
