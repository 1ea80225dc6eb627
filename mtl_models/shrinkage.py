"""What many noisy estimates say about each other: a normal prior in two levels, learned from the estimates themselves.

    estimate = effect + noise,   effect ~ N(mean of its group, within^2),   mean of a group ~ N(mean of all, between^2)

`within`, `between` and the mean of all are those under which the estimates are likeliest (empirical Bayes: Morris, JASA
1983; Gelman and Hill 2007, chapter 12). So a group of many says much about its members, a group of one little.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

# Steps of the grids on which the two spreads are sought.
GRID = 45


@dataclass(frozen=True)
class Prior:
    """What is expected of each group's members before their own evidence: `mean` and `spread` [groups]; `overall` is
    the spread of members of unknown groups, a scalar."""

    mean: Tensor
    spread: Tensor
    overall: Tensor


def learn_prior(estimate: Tensor, variance: Tensor, group: Tensor, groups: int, *, least: float, most: float) -> Prior:
    """From [n] estimates, the variances of their noise and their groups below `groups`; `within` is sought between
    `least` and `most`, `between` from 0 to `most`."""
    within, between = (
        torch.linspace(low, most, GRID, dtype=estimate.dtype, device=estimate.device) for low in (least, 0)
    )
    weight = 1 / (within[:, None] ** 2 + variance)  # [w, n]
    weights = weight.new_zeros(GRID, groups).index_add_(1, group, weight)  # [w, groups]
    seen = weights > 0
    sums = weight.new_zeros(GRID, groups).index_add_(1, group, weight * estimate)
    means = torch.where(seen, sums / weights.clamp_min(1e-12), 0.0)
    members = 0.5 * (weight.log() - weight * (estimate - means[:, group]) ** 2).sum(dim=1)
    members -= 0.5 * torch.where(seen, weights.clamp_min(1e-12).log(), 0.0).sum(dim=1)  # [w]

    spread = (
        between[:, None] ** 2 + torch.where(seen, 1 / weights.clamp_min(1e-12), torch.inf)[:, None]
    )  # [w, b, groups]
    mean = (means[:, None] / spread).sum(dim=2) / (1 / spread).sum(dim=2)  # [w, b]
    terms = spread.log() + (means[:, None] - mean[:, :, None]) ** 2 / spread
    likelihood = members[:, None] - 0.5 * torch.where(seen[:, None], terms, 0.0).sum(dim=2)

    w, b = divmod(int(likelihood.argmax()), GRID)
    precision = between[b].clamp_min(1e-6) ** -2
    known = weights[w] + precision
    return Prior(
        mean=(sums[w] + mean[w, b] * precision) / known,
        spread=(within[w] ** 2 + 1 / known).sqrt(),
        overall=(within[w] ** 2 + between[b] ** 2).sqrt(),
    )
