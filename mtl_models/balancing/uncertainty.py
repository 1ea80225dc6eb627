"""Uncertainty weighting (Kendall, Gal and Cipolla 2018, "Multi-Task Learning Using Uncertainty to Weigh Losses")."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from mtl_models.balancing.base import Losses, LossWeights, OwnParameters
from mtl_models.config import NetworkConfig

# Weights stay within e^-3 and e^3: a loss that comes close to zero would else take over.
MOST_LOG_VARIANCE = 3.0


class UncertaintyWeights(LossWeights):
    """L = sum_j lambda_j (exp(-s_j) L_j + s_j): twice the paper's, so that s = 0, the start, is the plain sum.

    s_j is the log of the task's noise variance, learned with the network; at the optimum exp(s_j) = L_j.
    """

    def __init__(self, tasks: tuple[str, ...], weights: Mapping[str, float], config: NetworkConfig) -> None:
        super().__init__(tasks, weights, config)
        self.log_variances = nn.Parameter(torch.zeros(len(self.tasks)))

    def total(self, losses: Losses, shared: Sequence[nn.Parameter], own: OwnParameters | None = None) -> Tensor:
        """The scalar to call backward on; its gradient reaches the log variances too."""
        with torch.no_grad():  # a clamp in the graph would leave them without a gradient, stuck at the bound
            self.log_variances.clamp_(-MOST_LOG_VARIANCE, MOST_LOG_VARIANCE)
        spread = (self.worth_of(losses) * self.log_variances[self.positions(losses)]).sum()
        return super().total(losses, shared, own) + spread

    def factors(self, losses: Losses, shared: Sequence[nn.Parameter]) -> Tensor:
        """[tasks of this step] the inverse variances, which learn too."""
        return torch.exp(-self.log_variances[self.positions(losses)])
