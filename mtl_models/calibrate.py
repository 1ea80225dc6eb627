"""Calibration: what a window that the model has not seen says about its probabilities and quantiles.

One window tells how sure a model may be, hardly how high the level will be next month: campaigns, seasons and weeks
differ. Measured on two demo shops, the slope of log odds that was right for the validation window was right for the
test window too, while the shift often had the other sign. So log odds are stretched around the level that training
found (temperature scaling; Guo et al. 2017), and outer quantiles move away from the median or towards it until they
cover what they promise (split conformal; Romano, Patterson and Candes 2019), the median stays. Isotonic regression
would copy the window's level with its shape.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor, nn

# Fewer of the rarer outcome say nothing about the slope.
FEWEST_OUTCOMES = 200
# Standard deviation of the slope from one window to the next; how far few outcomes are believed follows from it.
SLOPE_SPREAD = 0.1
# A stretch that turned the order around would be a mistake of the data.
LEAST_SLOPE = 0.1
# Rows of a group: the 90% quantile of 500 covers 0.90 +- 0.013.
FEWEST_ROWS = 500
# Slow and fast sellers err differently.
MOST_GROUPS = 4
# Quantiles further off than this are a matter for training.
MOST_FACTOR = 2.0
NEWTON_STEPS, BISECTIONS = 12, 40


def fit_stretch(log_odds: Tensor, observed: Tensor) -> tuple[float, float]:
    """Slope and shift that [n] log odds want: those of a logistic regression whose slope is drawn to 1, then shifted so
    that the mean probability stays what it was. `observed` [n] lies between 0 and 1."""
    z = log_odds.double()
    slope, level = max(float(fit_line(z, observed, SLOPE_SPREAD)[0]), LEAST_SLOPE), torch.sigmoid(z).mean()
    low, high = -50.0, 50.0
    for _ in range(BISECTIONS):
        shift = (low + high) / 2
        low, high = (shift, high) if torch.sigmoid(slope * z + shift).mean() < level else (low, shift)
    return slope, (low + high) / 2


def fit_line(log_odds: Tensor, observed: Tensor, slope_spread: float = 1.0) -> Tensor:
    """[2] slope and intercept of a logistic regression of `observed` [n], between 0 and 1, on log odds [n]; the slope
    is believed to lie within `slope_spread` of 1."""
    z, y = log_odds.double(), observed.double()
    x = torch.stack([z, torch.ones_like(z)], dim=1)  # [n, 2]
    line, drawn_to = z.new_tensor([1.0, 0.0]), z.new_tensor([1.0, 0.0])
    pull = torch.diag(z.new_tensor([slope_spread**-2, 1e-6]))
    for _ in range(NEWTON_STEPS):
        p = torch.sigmoid(x @ line)
        gradient = x.T @ (y - p) - pull @ (line - drawn_to)
        line = line + torch.linalg.solve((x * (p * (1 - p))[:, None]).T @ x + pull, gradient)
    return line


def fit_factor(quantile: Tensor, observed: Tensor, level: float) -> float:
    """The factor with which `quantile` [n] covers `level` of the counts `observed` [n]; 1 where even no units at all
    would cover more. A count spreads evenly over one unit, or the quantiles of small ones would cover far too much."""
    wanted = min(level * (1 + 1 / len(observed)), 1.0)
    if _coverage(torch.zeros_like(quantile), observed) >= wanted:
        return 1.0
    low, high = -math.log(MOST_FACTOR), math.log(MOST_FACTOR)
    for _ in range(BISECTIONS):
        middle = (low + high) / 2
        is_short = _coverage(quantile * math.exp(middle), observed) < wanted
        low, high = (middle, high) if is_short else (low, middle)
    return math.exp(high)


class Calibration(nn.Module):
    """The corrections of one head: slopes and shifts of its log odds, factors of its quantiles by size group.

    All are buffers, so they travel with a checkpoint, and change nothing until they are learned. `outcomes` [log odds]
    and `rows` tell from how many rarer outcomes, or rows, they were learned; 0 where these were too few.
    """

    slopes: Tensor
    shifts: Tensor
    outcomes: Tensor
    edges: Tensor
    factors: Tensor
    rows: Tensor

    def __init__(self, log_odds: Sequence[str], levels: Sequence[float]) -> None:
        super().__init__()
        self.log_odds, self.levels, self.is_on = tuple(log_odds), tuple(levels), True
        self.register_buffer("slopes", torch.ones(len(log_odds)))
        self.register_buffer("shifts", torch.zeros(len(log_odds)))
        self.register_buffer("outcomes", torch.zeros(len(log_odds), dtype=torch.int64))
        self.register_buffer("edges", torch.full((MOST_GROUPS - 1,), torch.inf))
        self.register_buffer("factors", torch.ones(MOST_GROUPS, len(levels)))
        self.register_buffer("rows", torch.zeros((), dtype=torch.int64))

    def probability(self, name: str, log_odds: Tensor) -> Tensor:
        """[n] probabilities, in the order of the log odds [n]."""
        if not self.is_on:
            return log_odds.sigmoid()
        i = self.log_odds.index(name)
        return (self.slopes[i] * log_odds + self.shifts[i]).sigmoid()

    def quantiles(self, quantiles: Tensor, size: Tensor) -> Tensor:
        """[n, levels] as ordered as they come, the median as it comes; `size` [n] tells the group. All of a row's move
        in proportion, so what is true of every price stays true."""
        if not self.is_on:
            return quantiles
        middle = self.levels.index(0.5)
        median = quantiles[:, middle : middle + 1]
        moved = quantiles * self.factors[torch.bucketize(size, self.edges)]
        below = moved[:, :middle].minimum(median)
        above = moved[:, middle + 1 :].maximum(median).cummax(dim=1).values
        return torch.cat([below, median, above], dim=1)

    @torch.no_grad()
    def learn_probability(self, name: str, log_odds: Tensor, observed: Tensor) -> None:
        """From [n] log odds and outcomes between 0 and 1, NaN where not known."""
        is_known = ~observed.isnan()
        log_odds, observed = log_odds[is_known], observed[is_known]
        outcomes = int(torch.minimum(observed.sum(), (1 - observed).sum())) if len(observed) else 0
        if outcomes >= FEWEST_OUTCOMES:
            i = self.log_odds.index(name)
            self.slopes[i], self.shifts[i] = fit_stretch(log_odds, observed)
            self.outcomes[i] = outcomes

    @torch.no_grad()
    def learn_quantiles(self, quantiles: Tensor, observed: Tensor, size: Tensor) -> None:
        """From [n, levels] ordered quantiles, [n] counts, NaN where not known, and [n] sizes that make the groups."""
        is_known = ~observed.isnan()
        quantiles, observed, size = quantiles[is_known], observed[is_known], size[is_known]
        groups = min(len(observed) // FEWEST_ROWS, MOST_GROUPS)
        if not groups:
            return
        shares = torch.linspace(0, 1, groups + 1, device=size.device)[1:-1]
        self.edges.fill_(torch.inf)
        self.edges[: groups - 1] = torch.quantile(size, shares)
        group = torch.bucketize(size, self.edges)
        for g in group.unique().tolist():
            inside = group == g
            for i, level in enumerate(self.levels):
                if level != 0.5:
                    self.factors[g, i] = fit_factor(quantiles[inside, i], observed[inside], level)
        self.rows.fill_(len(observed))

    @contextmanager
    def off(self) -> Iterator[None]:
        """Say what was learned without calibration."""
        self.is_on = False
        try:
            yield
        finally:
            self.is_on = True


def _coverage(quantile: Tensor, count: Tensor) -> float:
    return float((quantile - count + 0.5).clamp(0, 1).mean())
