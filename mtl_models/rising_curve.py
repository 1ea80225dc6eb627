"""A curve that never falls: what a score says of a mean, whatever its shape."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

KNOTS = 10
# Next to nothing for a logarithm of money, and still a slope that a gradient can find.
SMALLEST_RISE = 0.01
# Logarithm of the mean of those who never spent.
LOWEST = -3.0


class RisingCurve(nn.Module):
    """[n] scores to [n] log means: straight lines between knots, each at least as high as the one before (isotonic
    regression, Barlow et al. 1972, with the steps smoothed). Beyond the last knot the mean grows as the score's
    exponential does, before the first it stays."""

    knots: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("knots", torch.linspace(0.0, 1.0, KNOTS))
        self.first = nn.Parameter(torch.zeros(()))
        self.rises = nn.Parameter(torch.zeros(KNOTS - 1))

    @torch.no_grad()
    def start(self, score: Tensor, amount: Tensor) -> None:
        """Knots at quantiles of the scores [n], at the height of the mean amount [n] around each; without rows it stays
        as it is."""
        if not len(score):
            return
        edges = torch.quantile(_some_of(score), torch.linspace(0, 1, KNOTS + 1, device=score.device))
        group = torch.bucketize(score, edges[1:-1])
        means = _mean_by(group, amount).clamp_min(0.0).log().clamp_min(LOWEST)
        heights = means.cummax(dim=0).values
        self.knots.copy_(_mean_by(group, score).cummax(dim=0).values)
        self.first.copy_(heights[0])
        rises = heights.diff().clamp_min(SMALLEST_RISE)
        self.rises.copy_(torch.log(torch.expm1(rises)))

    def forward(self, score: Tensor) -> Tensor:
        """[n] log means."""
        low, width = self.knots[:-1], self.knots.diff().clamp_min(1e-4)
        come_through = ((score[:, None] - low) / width).clamp(0.0, 1.0)  # [n, KNOTS - 1]
        beyond = (score - self.knots[-1]).clamp_min(0.0)
        return self.first + come_through @ functional.softplus(self.rises) + beyond


def _some_of(score: Tensor, most: int = 1_000_000) -> Tensor:
    """As many as tell the quantiles; torch sorts no more than 16 million at once."""
    return score[:: max(len(score) // most, 1)]


def _mean_by(group: Tensor, values: Tensor) -> Tensor:
    """[KNOTS] means of the groups; an empty group has that of the groups before, as its rise is none."""
    count = torch.bincount(group, minlength=KNOTS)
    total = torch.zeros(KNOTS, dtype=torch.float64, device=values.device).index_add_(0, group, values.double())
    means = total / count
    seen = torch.nonzero(count).squeeze(1)
    nearest = seen[(torch.searchsorted(seen, torch.arange(KNOTS, device=seen.device), right=True) - 1).clamp_min(0)]
    return means[nearest].to(values.dtype)
