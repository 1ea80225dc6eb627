"""The layers that the families of sharing are made of."""

from __future__ import annotations

from itertools import pairwise

from torch import nn

from mtl_models.config import ModelConfig


def make_trunk(input_width: int, config: ModelConfig) -> nn.Sequential:
    """[n, input_width] to [n, trunk_widths[-1]]."""
    layers: list[nn.Module] = []
    for before, after in pairwise((input_width, *config.trunk_widths)):
        layers += [nn.Linear(before, after), nn.LayerNorm(after), nn.SiLU(), nn.Dropout(config.dropout)]
    return nn.Sequential(*layers)


def last_weight(trunk: nn.Sequential) -> nn.Parameter:
    """The weights of the last linear layer of a trunk."""
    return [parameter for parameter in trunk.parameters() if parameter.ndim == 2][-1]
