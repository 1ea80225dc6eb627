"""Progressive layered extraction (Tang, Liu, Zhao and Gong 2020): each task has experts of its own beside the shared
ones, so that what only one task needs is not fought over. One level is customised gate control (CGC)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import cast

from torch import Tensor, nn

from mtl_models.config import NetworkConfig
from mtl_models.sharing.base import Sharing
from mtl_models.sharing.layers import Experts, Gate, by_table, joined, read_together, usage

Features = Mapping[str, Tensor]


class ProgressiveExperts(Sharing):
    """Levels of experts; from level to level each task passes on its own mixture, and each table a shared one."""

    def __init__(self, input_width: int, tasks: Mapping[str, str], config: NetworkConfig) -> None:
        super().__init__(input_width, tasks, config)
        self.width = config.trunk_widths[-1]
        widths = (input_width, *[self.width] * (config.expert_levels - 1))
        last = len(widths) - 1
        self.levels = nn.ModuleList(Level(w, tasks, config, is_last=i == last) for i, w in enumerate(widths))
        own, shared = config.specific_experts, config.shared_experts
        self.expert_names = (*(f"own_{i + 1}" for i in range(own)), *(f"shared_{i + 1}" for i in range(shared)))

    def forward(self, rows: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """{table: [n, input_width]} to {task: [n, width]}."""
        own: Features = {task: rows[table] for task, table in self.tasks_of(rows).items()}
        shared: Features = rows
        for level in self.levels:
            own, shared = level(own, shared)
        return dict(own)

    def shared_parameters(self) -> list[nn.Parameter]:
        """The last layers of the last level's shared experts; none without shared experts."""
        weight = self._last_level().shared_experts.last_weights()
        return [weight] if len(weight) else []

    def gates(self) -> dict[str, Tensor]:
        """{task: [experts]} of the last level: the task's own experts, then the shared ones."""
        return usage(self._last_level().task_gates)

    def _last_level(self) -> Level:
        return cast(Level, self.levels[-1])


class Level(nn.Module):
    """One level. A task's rows pass its own experts and the shared ones, never those of tasks with other rows."""

    def __init__(self, input_width: int, tasks: Mapping[str, str], config: NetworkConfig, *, is_last: bool) -> None:
        super().__init__()
        own, shared = config.specific_experts, config.shared_experts
        self.tasks = dict(tasks)
        self.own_experts = nn.ModuleDict({task: Experts(own, input_width, config) for task in tasks})
        self.shared_experts = Experts(shared, input_width, config)
        self.task_gates = nn.ModuleDict({task: Gate(input_width, own + shared) for task in tasks})
        readers = {} if is_last else Counter(tasks.values())
        self.table_gates = nn.ModuleDict({t: Gate(input_width, own * count + shared) for t, count in readers.items()})

    def forward(self, own: Features, shared: Features) -> tuple[Features, Features]:
        """{task: [n, input_width]} and {table: [n, input_width]} to the same of the next level."""
        tables = [table for table in shared if table in self.table_gates]
        product, *products = read_together(
            [
                (self.shared_experts, joined(shared)),
                *((cast(Experts, self.own_experts[task]), rows) for task, rows in own.items()),
                *((cast(Gate, self.task_gates[task]), rows) for task, rows in own.items()),
                *((cast(Gate, self.table_gates[table]), shared[table]) for table in tables),
            ]
        )
        reads = iter(products)
        own_experts = {task: self.own_experts[task](next(reads)) for task in own}  # [own, n, width] each
        shared_experts = by_table(shared, self.shared_experts(product), dim=1)  # [shared, n, width] each
        mixed = {
            task: self.task_gates[task](next(reads), own_experts[task], shared_experts[self.tasks[task]])
            for task in own
        }
        passed_on = {}
        for table in tables:
            of_table = [own_experts[task] for task in own if self.tasks[task] == table]
            passed_on[table] = self.table_gates[table](next(reads), *of_table, shared_experts[table])
        return mixed, passed_on
