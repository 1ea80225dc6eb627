"""Hard parameter sharing (Caruana 1997): one trunk for all."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor, nn

from mtl_models.config import NetworkConfig
from mtl_models.sharing.base import Sharing
from mtl_models.sharing.layers import by_table, joined, last_weight, make_trunk


class HardSharing(Sharing):
    """All tables' rows pass the same layers in one batch: one matrix product a layer, then per-table slices."""

    def __init__(self, input_width: int, tasks: Mapping[str, str], config: NetworkConfig) -> None:
        super().__init__(input_width, tasks, config)
        self.trunk = make_trunk(input_width, config.trunk_widths, config)
        self.width = config.trunk_widths[-1]

    def forward(self, rows: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """{table: [n, input_width]} to {task: [n, width]}."""
        features = by_table(rows, self.trunk(joined(rows)))
        return {task: features[table] for task, table in self.tasks_of(rows).items()}

    def shared_parameters(self) -> list[nn.Parameter]:
        """The last layer of the trunk."""
        return [last_weight(self.trunk)]
