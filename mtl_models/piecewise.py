"""Numbers whose effect bends: the piecewise-linear encoding (Gorishniy, Rubachev and Babenko, NeurIPS 2022).

A day late is one thing and the fifth day late another. A number is spread over the bins between its quantiles, and each
bin gets a slope of its own: what trees do better than plain networks.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import torch
from torch import Tensor, nn

# (column, from, to)
Bins = tuple[tuple[int, float, float], ...]

MOST_BINS = 8
# A bin is a parameter more for each feature: with fewer rows to each, a small table is learned by heart.
ROWS_PER_BIN = 4000
# Rows that are enough to know the quantiles.
QUANTILE_ROWS = 50_000


def find_bins(numbers: np.ndarray) -> Bins:
    """Between the quantiles of each column of [n, c]; NaN is left out. A column of two values has nothing between, and
    a table of few rows has no bins."""
    count = min(MOST_BINS, len(numbers) // ROWS_PER_BIN)
    some = numbers[:: max(len(numbers) // QUANTILE_ROWS, 1)]
    bins: list[tuple[int, float, float]] = []
    for column, values in enumerate(some.T):
        known = values[~np.isnan(values)]
        edges = np.unique(np.quantile(known, np.linspace(0, 1, count + 1))) if len(known) else known
        if len(edges) > 2:
            bins += [(column, low, high) for low, high in pairwise(edges.tolist())]
    return tuple(bins)


class PiecewiseLinear(nn.Module):
    """[n, c] numbers to [n, width]: how far each has come through each of its bins, from 0 to 1."""

    column: Tensor
    low: Tensor
    slope: Tensor

    def __init__(self, bins: Bins) -> None:
        super().__init__()
        self.width = len(bins)
        low, high = (torch.tensor([each[edge] for each in bins], dtype=torch.float32) for edge in (1, 2))
        # Made from the settings of the model, not learned: they are not among its weights.
        self.register_buffer("column", torch.tensor([each[0] for each in bins], dtype=torch.int64), persistent=False)
        self.register_buffer("low", low, persistent=False)
        self.register_buffer("slope", 1 / (high - low).clamp_min(1e-4), persistent=False)

    def forward(self, numbers: Tensor) -> Tensor:
        """[n, width]."""
        return ((numbers.index_select(1, self.column) - self.low) * self.slope).clamp(0.0, 1.0)
