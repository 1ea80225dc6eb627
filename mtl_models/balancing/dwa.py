"""Dynamic weight average (Liu, Johns and Davison 2019, "End-to-End Multi-Task Learning with Attention")."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from mtl_models.balancing.base import Losses, LossWeights
from mtl_models.config import NetworkConfig

# The paper's: the larger, the more alike the weights.
TEMPERATURE = 2.0


class DynamicWeightAverage(LossWeights):
    """w = K softmax(r / T), r_j = L_j(t - 1) / L_j(t - 2): a task that fell less in the last pass gets more say in the
    next. All are alike in the first two passes, and a task is 1 on average."""

    rates: Tensor

    def __init__(self, tasks: tuple[str, ...], weights: Mapping[str, float], config: NetworkConfig) -> None:
        super().__init__(tasks, weights, config)
        self.register_buffer("rates", torch.ones(len(self.tasks)))
        self.last: dict[str, float] = {}

    def factors(self, losses: Losses, shared: Sequence[nn.Parameter]) -> Tensor:
        """[tasks of this step] the pass's weights."""
        return (len(self.tasks) * torch.softmax(self.rates / TEMPERATURE, dim=0))[self.positions(losses)]

    def end_epoch(self, losses: Mapping[str, float]) -> None:
        """Compare with the pass before; a task without a loss in either keeps its rate."""
        for i, task in enumerate(self.tasks):
            if task in losses and self.last.get(task, 0.0) > 0:
                self.rates[i] = losses[task] / self.last[task]
        self.last |= losses
