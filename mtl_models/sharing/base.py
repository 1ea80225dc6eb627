"""What every way of sharing promises."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor, nn

from mtl_models.config import ModelConfig


class Sharing(nn.Module):
    """From the encoded rows of all tables to each table's features.

    `width` is the width of the features.
    """

    width: int

    def __init__(self, input_width: int, tables: tuple[str, ...], config: ModelConfig) -> None:
        super().__init__()

    def forward(self, rows: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """{table: [n_table, input_width]} to {table: [n_table, width]}."""
        raise NotImplementedError

    @property
    def shared_layer(self) -> nn.Linear:
        """The last layer that every task trains, where their gradients are compared."""
        raise NotImplementedError
