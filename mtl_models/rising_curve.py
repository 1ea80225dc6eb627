"""A curve that never falls: what a score says of a mean, whatever its shape."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

KNOTS = 10
# Next to nothing for a logarithm of money, and still a slope that a gradient can find.
SMALLEST_RISE = 0.01
# Rows that stand for a group without any.
EMPTY = 1e-6
# Logarithm of the mean of those who never spent.
LOWEST = -3.0


class RisingCurve(nn.Module):
    """[n] scores to [n] log means: straight lines between knots, each at least as high as the one before (isotonic
    regression, Barlow et al. 1972, with the steps smoothed). Beyond the last knot it rises as before it,
    but no faster than the score, before the first it stays."""

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
        heights = _rising_means(group, amount).clamp_min(0.0).log().clamp_min(LOWEST)
        self.knots.copy_(_rising_means(group, score))
        self.first.copy_(heights[0])
        rises = heights.diff().clamp_min(SMALLEST_RISE)
        self.rises.copy_(torch.log(torch.expm1(rises)))

    def forward(self, score: Tensor) -> Tensor:
        """[n] log means."""
        low, width = self.knots[:-1], self.knots.diff().clamp_min(1e-4)
        come_through = ((score[:, None] - low) / width).clamp(0.0, 1.0)  # [n, KNOTS - 1]
        rises = functional.softplus(self.rises)
        beyond = (score - self.knots[-1]).clamp_min(0.0) * (rises[-1] / width[-1]).clamp_max(1.0)
        return self.first + come_through @ rises + beyond


def _some_of(score: Tensor, most: int = 1_000_000) -> Tensor:
    """As many as tell the quantiles; torch sorts no more than 16 million at once."""
    return score[:: max(len(score) // most, 1)]


def _rising_means(group: Tensor, values: Tensor) -> Tensor:
    """[KNOTS] isotonic regression of the values on the number of their group, by its max-min formula; a group without
    values has the mean of all before its neighbours have a say."""
    count = torch.bincount(group, minlength=KNOTS).double()
    total = torch.zeros_like(count).index_add_(0, group, values.double())
    count, total = count + EMPTY, total + EMPTY * values.double().mean()
    counts, totals = (functional.pad(each.cumsum(0), (1, 0)) for each in (count, total))
    means = (totals[None, 1:] - totals[:-1, None]) / (counts[None, 1:] - counts[:-1, None])  # [from, to]
    is_backwards = torch.ones_like(means).tril(-1).bool()
    forwards = means.masked_fill(is_backwards, torch.inf)
    lowest = forwards.flip(1).cummin(dim=1).values.flip(1)  # [from, at]: of all stretches that end there or later
    return lowest.masked_fill(is_backwards, -torch.inf).max(dim=0).values.to(values.dtype)
