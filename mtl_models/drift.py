"""How far tonight's rows have moved from those that the model learned from.

Every column is cut into bins of the training window: its deciles, or its ten most frequent words, and one bin more for
missing values. The population stability index (PSI) compares the shares of the bins,

    PSI = sum over bins of (share now - share then) * ln(share now / share then),

0 where nothing moved; 0.1 is commonly called a small shift and 0.25 a large one. The domain classifier asks what no
single column can tell: whether a linear discriminant of all bins can tell tonight's rows from the others.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mtl_models import metrics
from mtl_models.metrics import Values

BINS = 10
# Of a row of the design matrix over all others: enough that rare bins cannot tell rows one by one.
_RELATIVE_RIDGE = 0.01

Codes = NDArray[np.int64]


@dataclass(frozen=True)
class Binned:
    """A column as bins: `reference` [n] and `current` [m] bin numbers below `bins`; the last is of missing values."""

    reference: Codes
    current: Codes
    bins: int


@dataclass(frozen=True)
class Domain:
    """How well rows can be told apart: `auc` 0.5 is not at all. `parts` says, by column, which share of the
    distance between the two means it makes, largest first; what draws them together has none."""

    auc: float
    parts: Mapping[str, float]


def bin_numbers(reference: Values, current: Values) -> Binned:
    """Bins at the deciles of the reference; equal ones are one, so that a column of few values has few bins."""
    known = reference[~np.isnan(reference)]
    edges = np.zeros(0)
    if len(known):
        deciles = np.unique(np.quantile(known, np.arange(1, BINS) / BINS, method="inverted_cdf"))
        edges = deciles[deciles < known.max()]
    missing = len(edges) + 1

    def codes(values: Values) -> Codes:
        return np.where(np.isnan(values), missing, np.searchsorted(edges, values, side="left")).astype(np.int64)

    return Binned(codes(reference), codes(current), missing + 1)


def bin_words(reference: NDArray[np.str_], current: NDArray[np.str_]) -> Binned:
    """Bins of the most frequent words of the reference, of all others, and of the empty word, which is missing."""
    words, counts = np.unique(reference[reference != ""], return_counts=True)
    frequent = np.sort(words[np.argsort(-counts, kind="stable")[:BINS]])
    other, missing = len(frequent), len(frequent) + 1

    def codes(values: NDArray[np.str_]) -> Codes:
        if not len(frequent):
            return np.where(values == "", missing, other).astype(np.int64)
        at = np.searchsorted(frequent, values).clip(max=len(frequent) - 1)
        return np.where(values == "", missing, np.where(frequent[at] == values, at, other)).astype(np.int64)

    return Binned(codes(reference), codes(current), missing + 1)


def psi(binned: Binned, weights: Values | None = None) -> float:
    """Population stability index; `weights` [n] are of the reference rows. Half a row is added to each bin, so that an
    empty one does not make it infinite."""
    counts = np.bincount(binned.reference, weights, binned.bins)
    if weights is not None:
        counts *= len(weights) / weights.sum()
    then, now = _shares(counts), _shares(np.bincount(binned.current, None, binned.bins))
    return float(((now - then) * np.log(now / then)).sum())


def psi_by_chance(binned: Binned) -> float:
    """What PSI rarely exceeds where nothing has moved: two standard deviations above its mean, which is that of a
    chi-square of the bins, scaled by the rows."""
    used = np.union1d(np.unique(binned.reference), np.unique(binned.current))
    freedom = max(len(used) - 1, 1)
    scale = 1 / max(len(binned.reference), 1) + 1 / max(len(binned.current), 1)
    return float((freedom + 2 * np.sqrt(2 * freedom)) * scale)


def domain(columns: Mapping[str, Binned], reference_half: Codes, current_half: Codes) -> Domain:
    """Fisher's linear discriminant of all bins, taken two by two, in closed form. It is learned on each half (0 or 1 by
    row) and asked on the other; rows of one user or product belong to one half, or they would recognise themselves."""
    columns = {name: _coarse(column) for name, column in columns.items()}
    half = np.concatenate([reference_half, current_half])
    is_current = np.concatenate([np.zeros(len(reference_half)), np.ones(len(current_half))])
    design = np.concatenate([_one_hot(column) for column in columns.values()], axis=1)
    score = np.zeros(len(half))
    gaps = np.zeros(design.shape[1])
    for asked in (0, 1):
        learn, ask = half != asked, half == asked
        weights = _discriminant(design[learn], is_current[learn])
        score[ask] = design[ask] @ weights
        gaps += weights * _gap(design[ask], is_current[ask])
    area = float(np.mean([metrics.auc(is_current[half == asked], score[half == asked]) for asked in (0, 1)]))
    starts = np.cumsum([0, *(column.bins for column in columns.values())])[:-1]
    telling = np.maximum(np.add.reduceat(gaps, starts), 0)
    parts = telling / max(telling.sum(), 1e-12)
    order = np.argsort(-parts, kind="stable")
    names = list(columns)
    return Domain(area, {names[i]: float(parts[i]) for i in order})


def _coarse(column: Binned) -> Binned:
    """Two neighbouring bins as one, missing values apart: half as wide a matrix takes a quarter of the time."""
    missing = column.bins // 2

    def codes(of: Codes) -> Codes:
        return np.where(of == column.bins - 1, missing, of // 2)

    return Binned(codes(column.reference), codes(column.current), missing + 1)


def _discriminant(design: NDArray[np.float32], is_current: Values) -> NDArray[np.float64]:
    """Weights of the columns; both sides count alike, however many rows they have."""
    gap = _gap(design, is_current)
    spread = np.zeros((design.shape[1], design.shape[1]))
    for side in (0, 1):
        rows = design[is_current == side]
        centred = rows - rows.mean(axis=0)
        spread += (centred.T @ centred).astype(np.float64) / max(len(rows), 1)
    spread[np.diag_indices_from(spread)] += _RELATIVE_RIDGE
    return np.asarray(np.linalg.solve(spread, gap), np.float64)


def _gap(design: NDArray[np.float32], is_current: Values) -> NDArray[np.float64]:
    now, then = design[is_current == 1].mean(axis=0), design[is_current == 0].mean(axis=0)
    return (now - then).astype(np.float64)


def _one_hot(column: Binned) -> NDArray[np.float32]:
    return np.eye(column.bins, dtype=np.float32)[np.concatenate([column.reference, column.current])]


def _shares(counts: NDArray[np.float64] | Codes) -> Values:
    return np.asarray((counts + 0.5) / (counts.sum() + 0.5 * len(counts)))
