"""Cross-stitch networks (Misra, Shrivastava, Gupta and Hebert 2016): a trunk for each task, whose layers see linear
mixtures of what all trunks made of the same rows."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from mtl_models.config import NetworkConfig
from mtl_models.sharing.base import Sharing
from mtl_models.sharing.layers import Experts, by_table, joined

# A trunk's say in its own mixture at the start; the others have equal parts of the rest.
FIRST_OWN_SAY = 0.9


class CrossStitch(Sharing):
    """Every row passes all trunks, side by side, and after each layer a stitch [tasks, tasks] mixes them."""

    task_axes = ("trunks", "stitches")

    def __init__(self, input_width: int, tasks: Mapping[str, str], config: NetworkConfig) -> None:
        super().__init__(input_width, tasks, config)
        self.trunks = Experts(len(tasks), input_width, config)
        self.stitches = nn.ParameterList(_first_stitch(len(tasks)) for _ in config.trunk_widths)
        self.width = config.trunk_widths[-1]

    def forward(self, rows: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """{table: [n, input_width]} to {task: [n, width]}."""
        first, *later = self.trunks.layers
        hidden = first(joined(rows))  # [tasks, rows of all tables, trunk_widths[0]]
        *between, last = self.stitches
        for layer, stitch in zip(later, between, strict=True):
            hidden = layer(torch.einsum("st,tnw->snw", stitch, hidden))
        features, own_mixture = by_table(rows, hidden, dim=1), dict(zip(self.tasks, last, strict=True))
        return {
            task: torch.einsum("t,tnw->nw", own_mixture[task], features[table])
            for task, table in self.tasks_of(rows).items()
        }

    def shared_parameters(self) -> list[nn.Parameter]:
        """The last layers of all trunks."""
        return [self.trunks.last_weights()]


def _first_stitch(tasks: int) -> nn.Parameter:
    others = (1 - FIRST_OWN_SAY) / max(tasks - 1, 1)
    return nn.Parameter(torch.eye(tasks) * (FIRST_OWN_SAY - others) + others)
