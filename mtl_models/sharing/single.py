"""No sharing: each task as if it were alone, the honest control of every other family."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor, nn

from mtl_models.config import NetworkConfig
from mtl_models.sharing.base import Sharing
from mtl_models.sharing.layers import make_trunk


class SingleTasks(Sharing):
    """A trunk and encoders for each task; no gradient of one reaches another."""

    shares_encoders = False

    def __init__(self, input_width: int, tasks: Mapping[str, str], config: NetworkConfig) -> None:
        super().__init__(input_width, tasks, config)
        self.trunks = nn.ModuleDict({task: make_trunk(input_width, config.trunk_widths, config) for task in tasks})
        self.width = config.trunk_widths[-1]

    def forward(self, rows: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """{table: [n, input_width]} to {task: [n, width]}."""
        return {task: self.trunks[task](rows[table]) for task, table in self.tasks_of(rows).items()}

    def shared_parameters(self) -> list[nn.Parameter]:
        """None."""
        return []
