"""How tasks pull on the part that they share."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from itertools import permutations

import torch
from torch import Tensor

from mtl_models.balancing.jacobian import task_gradients
from mtl_models.model import JointModel

# Often enough for a mean, seldom enough to cost nothing.
EVERY_STEPS = 50


class GradientCosines:
    """Mean cosine between the tasks' gradients at the last shared layer: above 0 they help each other, below 0
    they conflict (Yu et al. 2020). Nothing is seen of tasks that share nothing, or that never meet in a step."""

    def __init__(self) -> None:
        self.total: dict[tuple[str, str], float] = {}
        self.count: Counter[tuple[str, str]] = Counter()

    def observe(self, model: JointModel, losses: Mapping[str, Tensor], step: int) -> None:
        """Look at this step's losses, every so often; the graph stays usable for the training step."""
        shared = model.sharing.shared_parameters()
        if step % EVERY_STEPS or not shared:
            return
        jacobian, _ = task_gradients(losses, shared)
        directions = torch.nn.functional.normalize(jacobian, dim=1)  # [tasks, parameters]
        cosines = (directions @ directions.T).tolist()
        for (i, task), (j, other) in permutations(enumerate(losses), 2):
            self.total[task, other] = self.total.get((task, other), 0.0) + cosines[i][j]
            self.count[task, other] += 1

    def means(self) -> dict[tuple[str, str], float]:
        """{(task, other task): mean cosine}."""
        return {pair: total / self.count[pair] for pair, total in self.total.items()}
