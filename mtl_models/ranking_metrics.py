"""Measures of ranked lists: all lists at once, no loop over users."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

LENGTH = 20


@dataclass(frozen=True)
class RankingScores:
    """Means over lists of the `LENGTH` best products; `shown_products` is the number of distinct ones."""

    recall: float
    ndcg: float
    mean_average_precision: float
    hit_rate: float
    shown_products: int
    lists: int


def score_lists(
    lists: NDArray[np.int64],
    scores: NDArray[np.float64],
    is_relevant: NDArray[np.bool_],
    products: NDArray[np.int64],
    relevant: NDArray[np.int64],
) -> RankingScores:
    """Rank candidates within their list by score and compare with what was bought.

    `lists`, `scores`, `is_relevant`, `products`: [n] candidates; `relevant`: [number of lists] products that were
    bought, candidates or not (the ideal list holds min(relevant, 20) of them). Lists with nothing bought do not
    count; a list without candidates that should have had some scores 0. Equal scores keep the order given.
    """
    order = np.lexsort((np.arange(len(lists)), -scores, lists))
    ordered = lists[order]
    first = np.searchsorted(ordered, ordered, side="left")
    position = np.arange(len(ordered)) - first
    top = order[position < LENGTH]
    position, of_list = position[position < LENGTH], lists[top]
    hit = (is_relevant[top] & (relevant[of_list] > 0)).astype(np.float64)

    counted = relevant > 0
    ideal = np.minimum(relevant, LENGTH)
    discount = 1 / np.log2(np.arange(LENGTH) + 2)
    hits = np.bincount(of_list, hit, len(relevant))
    gain = np.bincount(of_list, hit * discount[position], len(relevant))
    precision = _hits_so_far(hit, of_list, position) / (position + 1)
    precisions = np.bincount(of_list, hit * precision, len(relevant))
    best = np.cumsum(discount)[np.maximum(ideal, 1) - 1]
    return RankingScores(
        recall=_mean((hits / np.maximum(relevant, 1))[counted]),
        ndcg=_mean((gain / best)[counted]),
        mean_average_precision=_mean((precisions / np.maximum(ideal, 1))[counted]),
        hit_rate=_mean((hits > 0)[counted]),
        shown_products=len(np.unique(products[top][counted[of_list]])),
        lists=int(counted.sum()),
    )


def _mean(values: NDArray[np.float64] | NDArray[np.bool_]) -> float:
    """NaN where nobody bought anything."""
    return float(values.mean()) if len(values) else float("nan")


def _hits_so_far(
    hit: NDArray[np.float64], of_list: NDArray[np.int64], position: NDArray[np.int64]
) -> NDArray[np.float64]:
    """[n] hits within the list up to and with each position; rows are ordered by list and position."""
    total = np.cumsum(hit)
    start = np.flatnonzero(position == 0)
    before = np.zeros(int(of_list.max(initial=0)) + 1)
    before[of_list[start]] = total[start] - hit[start]
    return total - before[of_list]
