"""Multi-gate mixture of experts (Ma, Zhao, Yi, Chen, Hong and Chi 2018): experts for all, a gate for each task."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from torch import Tensor, nn

from mtl_models.config import NetworkConfig
from mtl_models.sharing.base import Sharing
from mtl_models.sharing.layers import Experts, Gate, by_table, joined, read_together, usage


class MultiGateExperts(Sharing):
    """Every row passes all experts; each task's gate weighs what they say about it."""

    def __init__(self, input_width: int, tasks: Mapping[str, str], config: NetworkConfig) -> None:
        super().__init__(input_width, tasks, config)
        self.experts = Experts(config.experts, input_width, config)
        self.task_gates = nn.ModuleDict({task: Gate(input_width, config.experts) for task in tasks})
        self.expert_names = tuple(f"shared_{i + 1}" for i in range(config.experts))
        self.width = config.trunk_widths[-1]

    def forward(self, rows: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """{table: [n, input_width]} to {task: [n, width]}."""
        tasks = self.tasks_of(rows)
        gates = [(cast(Gate, self.task_gates[task]), rows[table]) for task, table in tasks.items()]
        product, *choices = read_together([(self.experts, joined(rows)), *gates])
        experts = by_table(rows, self.experts(product), dim=1)  # {table: [experts, n, width]}
        return {
            task: self.task_gates[task](choice, experts[table])
            for (task, table), choice in zip(tasks.items(), choices, strict=True)
        }

    def shared_parameters(self) -> list[nn.Parameter]:
        """The last layers of all experts."""
        return [self.experts.last_weights()]

    def gates(self) -> dict[str, Tensor]:
        """{task: [experts]}."""
        return usage(self.task_gates)
