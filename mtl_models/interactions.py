"""How tasks pull on the part that they share."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from itertools import permutations

import torch
from torch import Tensor

from mtl_models.balancing.jacobian import task_gradients
from mtl_models.batching import some
from mtl_models.model import JointModel, Rows, branch_of
from mtl_models.samples import Entities
from mtl_models.team import ALONE, Team

# Often enough for a mean, seldom enough to cost nothing.
EVERY_STEPS = 50
# Rows of one table that are enough to know what its gates choose.
GATED_ROWS = 10_000


class GradientCosines:
    """Mean cosine between the tasks' gradients at the last shared layer: above 0 they help each other, below 0
    they conflict (Yu et al. 2020). Nothing is seen of tasks that share nothing, or that never meet in a step."""

    def __init__(self) -> None:
        self.total: dict[tuple[str, str], float] = {}
        self.count: Counter[tuple[str, str]] = Counter()

    def observe(self, model: JointModel, losses: Mapping[str, Tensor], step: int, team: Team = ALONE) -> None:
        """Look at this step's losses, every so often; the graph stays usable for the training step."""
        shared = model.sharing.shared_parameters()
        if step % EVERY_STEPS or not shared:
            return
        jacobian, _ = task_gradients(losses, shared)
        directions = torch.nn.functional.normalize(team.mean(jacobian), dim=1)  # [tasks, parameters]
        cosines = (directions @ directions.T).tolist()
        for (i, task), (j, other) in permutations(enumerate(losses), 2):
            self.total[task, other] = self.total.get((task, other), 0.0) + cosines[i][j]
            self.count[task, other] += 1

    def means(self) -> dict[tuple[str, str], float]:
        """{(task, other task): mean cosine}."""
        return {pair: total / self.count[pair] for pair, total in self.total.items()}


@torch.inference_mode()
def expert_shares(model: JointModel, entities: Entities, rows: Rows) -> dict[tuple[str, str], float]:
    """{(task, expert): mean share of the expert in what the task's rows get}; empty without experts."""
    if not model.sharing.expert_names:
        return {}
    generator = torch.Generator().manual_seed(0)
    model.eval()(entities, {table: some(part, GATED_ROWS, generator) for table, part in rows.items() if len(part)})
    gates = model.sharing.gates()
    return {
        (task, expert): share
        for task in model.tasks
        for expert, share in zip(model.sharing.expert_names, gates[branch_of(task)].tolist(), strict=True)
    }


def learned_correlations(model: JointModel) -> dict[tuple[str, str], float]:
    """{(task, other task): correlation of their branches}, 1 within a branch; empty where the sharing learns none."""
    correlations = model.sharing.correlations()
    if not correlations:
        return {}
    pairs = {(a, b): (branch_of(a), branch_of(b)) for a, b in permutations(model.tasks, 2)}
    return {pair: correlations.get(branches, 1.0) for pair, branches in pairs.items()}
