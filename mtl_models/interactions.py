"""How tasks pull on the part that they share."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from mtl_models.model import JointModel

# Often enough for a mean, seldom enough to cost nothing.
EVERY_STEPS = 50


class GradientCosines:
    """Mean cosine between the tasks' gradients at the last shared layer: above 0 they help each other, below 0
    they conflict (Yu et al. 2020). Nothing is seen where nothing is shared."""

    def __init__(self) -> None:
        self.total: dict[tuple[str, str], float] = {}
        self.count = 0

    def observe(self, model: JointModel, losses: Mapping[str, Tensor], step: int) -> None:
        """Look at this step's losses, every so often; the graph stays usable for the training step."""
        shared = model.sharing.shared_parameters()
        if step % EVERY_STEPS or not shared:
            return
        gradients = [torch.autograd.grad(loss, shared, retain_graph=True) for loss in losses.values()]
        flat = torch.stack([torch.cat([part.flatten() for part in parts]) for parts in gradients])
        stacked = torch.nn.functional.normalize(flat, dim=1)  # [tasks, parameters]
        cosines = (stacked @ stacked.T).tolist()
        self.count += 1
        for i, task in enumerate(losses):
            for j, other in enumerate(losses):
                if i != j:
                    self.total[task, other] = self.total.get((task, other), 0.0) + cosines[i][j]

    def means(self) -> dict[tuple[str, str], float]:
        """{(task, other task): mean cosine}."""
        return {pair: total / self.count for pair, total in self.total.items()}
