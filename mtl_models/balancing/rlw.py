"""Random loss weighting (Lin et al. 2022, "Reasonable Effectiveness of Random Weighting")."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from mtl_models.balancing.base import Losses, LossWeights
from mtl_models.config import NetworkConfig


class RandomWeights(LossWeights):
    """w = K softmax(normal), drawn anew in each step: the noise that any clever weighting has to beat."""

    def __init__(self, tasks: tuple[str, ...], weights: Mapping[str, float], config: NetworkConfig) -> None:
        super().__init__(tasks, weights, config)
        self.generator = torch.Generator().manual_seed(config.seed)

    def factors(self, losses: Losses, shared: Sequence[nn.Parameter]) -> Tensor:
        """[tasks of this step] this step's weights; those of all tasks sum to their number."""
        drawn = torch.randn(len(self.tasks), generator=self.generator)
        return (len(self.tasks) * torch.softmax(drawn, dim=0))[self.positions(losses)].to(self.worth)
