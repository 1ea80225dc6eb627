"""GradNorm (Chen et al. 2018, "GradNorm: Gradient Normalization for Adaptive Loss Balancing")."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from mtl_models.balancing.base import Losses, LossWeights
from mtl_models.balancing.jacobian import task_gradients
from mtl_models.config import NetworkConfig

# The paper's: how strongly tasks that learn slowly are pulled up, and the step size of the weights.
RESTORING_FORCE = 1.5
STEP_SIZE = 0.025
# A loss of zero stays a divisor.
LEAST = 1e-12


class GradNorm(LossWeights):
    """Weights under which each task's gradient at the shared layer has the norm G_j = mean(G) r_j^alpha, where r_j is
    the share of its first loss that is left, over the mean of that share.

    The weights follow the sign of the gradient of sum_j |w_j G_j - target_j| in their logarithm, so they stay
    positive and a loss's scale sets no pace, and are brought back to 1 on average.
    """

    weights: Tensor
    first: Tensor

    def __init__(self, tasks: tuple[str, ...], weights: Mapping[str, float], config: NetworkConfig) -> None:
        super().__init__(tasks, weights, config)
        self.register_buffer("weights", torch.ones(len(self.tasks)))
        self.register_buffer("first", torch.zeros(len(self.tasks)))

    def factors(self, losses: Losses, shared: Sequence[nn.Parameter]) -> Tensor:
        """[tasks of this step] the weights after this step's look at the gradients."""
        here = self.positions(losses)
        values = self.team.mean(torch.stack(list(losses.values())).detach())
        jacobian, _ = task_gradients(losses, shared)
        self.first[here] = torch.where(self.first[here] > 0, self.first[here], values)
        norms = self.weights[here] * self.team.mean(jacobian).norm(dim=1)  # [tasks of this step]
        left = values / self.first[here].clamp_min(LEAST)
        target = norms.mean() * (left / left.mean().clamp_min(LEAST)) ** RESTORING_FORCE
        self.weights[here] *= torch.exp(-STEP_SIZE * torch.sign(norms - target))
        self.weights *= len(self.tasks) / self.weights.sum()
        return self.weights[here]
