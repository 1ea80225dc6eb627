"""Soft parameter sharing (Evgeniou and Pontil 2004): a trunk for each task, tied to what all have in common.

    theta_t = theta_0 + v_t,      Omega = tie * sum_t |v_t|^2

For the best theta_0, the mean of the theta_t, Omega is the trunks' squared distance from their mean. Learned is
u_t = sqrt(1 + tie) * v_t: the same objective, but no tie is too stiff for the optimiser, and an infinite one is hard
sharing exactly.
"""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy

import torch
from torch import Tensor, nn
from torch.func import functional_call

from mtl_models.config import NetworkConfig
from mtl_models.sharing.base import Sharing
from mtl_models.sharing.layers import last_weight, make_trunk


class SoftSharing(Sharing):
    """One common trunk and, for each task, its departures u_t from it, zero at the start."""

    def __init__(self, input_width: int, tasks: Mapping[str, str], config: NetworkConfig) -> None:
        super().__init__(input_width, tasks, config)
        self.common = make_trunk(input_width, config.trunk_widths, config)
        self.departures = nn.ModuleDict({task: deepcopy(self.common) for task in tasks})
        for parameter in self.departures.parameters():
            nn.init.zeros_(parameter)
        self.tie = config.soft_tie
        self.width = config.trunk_widths[-1]

    def forward(self, rows: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """{table: [n, input_width]} to {task: [n, width]}."""
        return {
            task: functional_call(self.common, self.trunk(task), (rows[table],))
            for task, table in self.tasks_of(rows).items()
        }

    def trunk(self, task: str) -> dict[str, Tensor]:
        """theta_t: {parameter: value}."""
        scale = (1 + self.tie) ** -0.5
        departures = self.departures[task].parameters()
        pairs = zip(self.common.named_parameters(), departures, strict=True)
        return {name: common + scale * departure for (name, common), departure in pairs}

    def shared_parameters(self) -> list[nn.Parameter]:
        """The last layer of the common trunk."""
        return [last_weight(self.common)]

    def penalty(self) -> Tensor:
        """tie * sum_t |v_t|^2."""
        squares = torch.stack([(departure**2).sum() for departure in self.departures.parameters()])
        return (1 - 1 / (1 + self.tie)) * squares.sum()
