"""Hard parameter sharing (Caruana 1997): one trunk for all."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise

import torch
from torch import Tensor, nn

from mtl_models.config import ModelConfig
from mtl_models.sharing.base import Sharing


class HardSharing(Sharing):
    """All tables' rows pass the same layers in one batch: one matrix product a layer, then per-table slices."""

    def __init__(self, input_width: int, tables: tuple[str, ...], config: ModelConfig) -> None:
        super().__init__(input_width, tables, config)
        layers: list[nn.Module] = []
        for before, after in pairwise((input_width, *config.trunk_widths)):
            layers += [nn.Linear(before, after), nn.LayerNorm(after), nn.SiLU(), nn.Dropout(config.dropout)]
        self.trunk = nn.Sequential(*layers)
        self.width = config.trunk_widths[-1]

    def forward(self, rows: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """{table: [n_table, input_width]} to {table: [n_table, width]}."""
        features = self.trunk(torch.cat(list(rows.values())))  # [sum of n_table, width]
        return dict(zip(rows, features.split([len(part) for part in rows.values()]), strict=True))

    @property
    def shared_layer(self) -> nn.Linear:
        """The last layer of the trunk."""
        return [layer for layer in self.trunk if isinstance(layer, nn.Linear)][-1]
