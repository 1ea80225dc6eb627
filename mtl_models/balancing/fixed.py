"""Fixed weights: lambda_j and nothing else. Where they are tuned, no method was clearly better (Xin et al. 2022, "Do
Current Multi-Task Optimization Methods in Deep Learning Even Help?"; Kurin et al. 2022)."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from mtl_models.balancing.base import Losses, LossWeights


class FixedWeights(LossWeights):
    """L = sum_j lambda_j L_j."""

    def factors(self, losses: Losses, shared: Sequence[nn.Parameter]) -> Tensor:
        """[tasks of this step] ones."""
        return self.worth.new_ones(len(losses))
