"""Multi-task relationship learning (Zhang and Yeung 2010), at the last layer of a trunk (Long et al. 2017).

    Omega = strength * tr(W C^-1 W^T),      W = [w_1 ... w_T],  C the tasks' covariance with trace one

The weights w_t of each task's last layer are drawn towards those of the tasks that C calls related. C is learned with
them: for given W the best C is (W^T W)^1/2 over its trace.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional

from mtl_models.config import NetworkConfig
from mtl_models.sharing.base import Sharing
from mtl_models.sharing.layers import Dropout, by_table, joined, last_weight, make_trunk

# All tasks begin with the same weights, so they begin related.
FIRST_CORRELATION = 0.5
# Part of the covariance that is the identity's: it keeps the inverse finite, however alike two tasks become.
RIDGE = 0.01


class TaskRelationship(Sharing):
    """A shared trunk whose last layer each task has for itself, tied by the tasks' learned covariance."""

    task_axes = ("weight", "bias", "factor")

    def __init__(self, input_width: int, tasks: Mapping[str, str], config: NetworkConfig) -> None:
        super().__init__(input_width, tasks, config)
        *shared_widths, self.width = config.trunk_widths
        self.trunk = make_trunk(input_width, tuple(shared_widths), config)
        first = nn.Linear((input_width, *shared_widths)[-1], self.width)
        self.weight = nn.Parameter(first.weight.detach().repeat(len(tasks), 1, 1))  # [tasks, width, inputs]
        self.bias = nn.Parameter(first.bias.detach().repeat(len(tasks), 1))
        self.nonlinear = functional.relu if config.activation == "relu" else functional.silu
        self.dropout = Dropout(config.dropout)
        self.factor = nn.Parameter(_first_factor(len(tasks)))
        self.strength = config.relationship_strength

    def forward(self, rows: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """{table: [n, input_width]} to {task: [n, width]}."""
        trunk = by_table(rows, self.trunk(joined(rows)))
        tables = self.tasks_of(rows)
        return {
            task: self.dropout(self.nonlinear(functional.linear(trunk[tables[task]], weight, bias)))
            for task, weight, bias in zip(self.tasks, self.weight, self.bias, strict=True)
            if task in tables
        }

    def covariance(self) -> Tensor:
        """[tasks, tasks] C: positive definite with trace one, since it is made of a Cholesky factor whose diagonal is
        positive."""
        lower = self.factor.tril(-1) + self.factor.diagonal().exp().diag()
        product = lower @ lower.T
        identity = torch.eye(len(product), device=product.device) / len(product)
        return (1 - RIDGE) * product / product.trace() + RIDGE * identity

    def penalty(self) -> Tensor:
        """strength * tr(W C^-1 W^T)."""
        flat = self.weight.flatten(1)  # [tasks, weights of a layer]: W^T
        return self.strength * torch.linalg.solve(self.covariance(), flat @ flat.T).trace()

    def correlations(self) -> dict[tuple[str, str], float]:
        """{(task, other task): correlation} by C."""
        covariance = self.covariance().detach()
        deviations = covariance.diagonal().sqrt()
        values = (covariance / torch.outer(deviations, deviations)).tolist()
        pairs = {(a, b): values[i][j] for i, a in enumerate(self.tasks) for j, b in enumerate(self.tasks)}
        return {(task, other): value for (task, other), value in pairs.items() if task != other}

    def shared_parameters(self) -> list[nn.Parameter]:
        """The last layer that all tasks pass; none in a trunk of one layer, which is the tasks' own."""
        return [last_weight(self.trunk)] if len(self.trunk) else []


def _first_factor(tasks: int) -> Tensor:
    """[tasks, tasks] Cholesky factor of equal variances and correlations; the diagonal as logarithms."""
    covariance = torch.full((tasks, tasks), FIRST_CORRELATION).fill_diagonal_(1.0)
    lower = torch.linalg.cholesky(covariance)
    return lower.tril(-1) + lower.diagonal().log().diag()
