"""The layers that the families of sharing are made of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import reduce
from itertools import chain, pairwise
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from mtl_models.config import NetworkConfig

# Matrix units read rows in blocks: products of rows of any other width take up to twice as long in bfloat16.
BLOCK_WIDTH = 16


def filling(width: int) -> int:
    """Columns from `width` to the next multiple of a block."""
    return -width % BLOCK_WIDTH


def make_trunk(input_width: int, widths: tuple[int, ...], config: NetworkConfig) -> nn.Sequential:
    """[n, input_width] to [n, widths[-1]]."""
    layers: list[nn.Module] = []
    for before, after in pairwise((input_width, *widths)):
        layers += [nn.Linear(before, after), *_activation(after, config)]
    return nn.Sequential(*layers)


def _activation(width: int, config: NetworkConfig) -> list[nn.Module]:
    """What a layer's product passes. LayerNorm goes without gain and bias: they only add parameters (Xu et al. 2019),
    and would cost a batch of experts a sixth of its step."""
    if config.activation == "relu":
        return [nn.ReLU(), Dropout(config.dropout)]
    return [nn.LayerNorm(width, elementwise_affine=False), nn.SiLU(), Dropout(config.dropout)]


class Dropout(nn.Module):
    """Dropout with one random byte per element, so by multiples of 1/256: a third of the time of torch's own on a CPU,
    where drawing is the most expensive part of a layer."""

    def __init__(self, share: float) -> None:
        super().__init__()
        self.dropped = min(round(256 * share), 255)

    def forward(self, features: Tensor) -> Tensor:
        """[..., width]."""
        if not self.training or not self.dropped:
            return features
        count = features.numel()
        draws = torch.empty((count + 7) // 8, dtype=torch.int64, device=features.device).random_(-(2**63), None)
        is_kept = draws.view(torch.uint8)[:count].view(features.shape) >= self.dropped
        return features * is_kept.to(features.dtype).mul_(256 / (256 - self.dropped))


class StackedLayer(nn.Module):
    """`count` layers of a trunk, each with weights of its own."""

    def __init__(self, count: int, before: int, after: int, config: NetworkConfig) -> None:
        super().__init__()
        bound = before**-0.5  # as nn.Linear starts, and laid out like it
        self.weights = nn.Parameter(torch.empty(count, after, before).uniform_(-bound, bound))
        self.bias = nn.Parameter(torch.empty(count, 1, after).uniform_(-bound, bound))
        self.activate = nn.Sequential(*_activation(after, config))

    def forward(self, rows: Tensor) -> Tensor:
        """[n, before], read by all, or [count, n, before], each its own, to [count, n, after]."""
        if rows.ndim == 3:
            return self.activate(torch.baddbmm(self.bias, rows, self.weights.mT))
        return self.after(functional.linear(rows, *self.reading()))

    def reading(self) -> tuple[Tensor, Tensor]:
        """[count * after, before] weights and [count * after] bias of one layer as wide as all of them: a third of the
        time of a batched product, and no sum over layers backward."""
        return self.weights.flatten(0, 1), self.bias.flatten()

    def after(self, product: Tensor) -> Tensor:
        """[count, n, after] of the wide layer's product [n, count * after]."""
        hidden = self.activate(product.unflatten(1, self.bias.shape[::2]))
        return hidden.transpose(0, 1).contiguous()


class Experts(nn.Module):
    """`count` trunks side by side."""

    def __init__(self, count: int, input_width: int, config: NetworkConfig) -> None:
        super().__init__()
        widths = (input_width, *config.trunk_widths)
        self.layers = nn.ModuleList(StackedLayer(count, *pair, config) for pair in pairwise(widths))

    def reading(self) -> tuple[Tensor, Tensor]:
        """Weights and bias of all first layers, as one."""
        return self._first().reading()

    def forward(self, product: Tensor) -> Tensor:
        """[count, n, widths[-1]] for what the first layers read in rows [n, input_width] (`read_together`)."""
        hidden = self._first().after(product)
        for layer in self.layers[1:]:
            hidden = layer(hidden)
        return hidden

    def last_weights(self) -> nn.Parameter:
        """[count, after, before]: those of the last layer."""
        return self.layers[-1].get_parameter("weights")

    def _first(self) -> StackedLayer:
        return cast(StackedLayer, self.layers[0])


class Gate(nn.Module):
    """How much a row takes from each expert: a softmax of one linear layer. `usage` [experts] is the mean over the
    rows of the latest pass."""

    usage: Tensor

    def __init__(self, input_width: int, experts: int) -> None:
        super().__init__()
        self.choose = nn.Linear(input_width, experts)
        self.usage = torch.full((experts,), 1 / experts)

    def reading(self) -> tuple[Tensor, Tensor]:
        """Weights and bias of the linear layer."""
        return self.choose.weight, self.choose.bias

    def forward(self, product: Tensor, *groups: Tensor) -> Tensor:
        """[n, width] for what `choose` reads in rows [n, input_width] (`read_together`) and groups of experts
        [count, n, width]."""
        shares = product.T.softmax(dim=0)  # [experts, n]: half the time of [n, experts]
        self.usage = shares.detach().mean(dim=1)
        experts = chain.from_iterable(group.unbind() for group in groups)
        return reduce(torch.add, map(torch.mul, shares[:, :, None].unbind(), experts))


def read_together(readers: Sequence[tuple[Experts | Gate, Tensor]]) -> list[Tensor]:
    """[n, outputs] of each reader's first linear layer for its rows [n, input_width]. Readers of the very same tensor
    are one product, as wide as all of them: rows are read once, and have one gradient."""
    together: dict[int, list[int]] = {}
    for i, (_, rows) in enumerate(readers):
        together.setdefault(id(rows), []).append(i)
    products: dict[int, Tensor] = {}
    for group in together.values():
        rows = readers[group[0]][1]
        weights, biases = zip(*(readers[i][0].reading() for i in group), strict=True)
        widths = [len(bias) for bias in biases]
        fill = weights[0].new_zeros(filling(sum(widths)), rows.shape[1])
        product = functional.linear(rows, torch.cat([*weights, fill]), torch.cat([*biases, fill[:, 0]]))
        products |= zip(group, product.split([*widths, len(fill)], dim=1)[:-1], strict=True)
    return [products[i] for i in range(len(readers))]


def usage(gates: nn.ModuleDict) -> dict[str, Tensor]:
    """{name: [experts]} of each gate."""
    return {name: gate.usage for name, gate in gates.items() if isinstance(gate, Gate)}


def joined(rows: Mapping[str, Tensor]) -> Tensor:
    """[rows of all tables, width]: one batch of the tables' rows."""
    first, *others = rows.values()
    return torch.cat([first, *others]) if others else first


def by_table(rows: Mapping[str, Tensor], features: Tensor, dim: int = 0) -> dict[str, Tensor]:
    """The features of joined rows, table by table again."""
    return dict(zip(rows, features.split([len(part) for part in rows.values()], dim), strict=True))


def last_weight(trunk: nn.Sequential) -> nn.Parameter:
    """The weights of the last linear layer of a trunk."""
    return [parameter for parameter in trunk.parameters() if parameter.ndim == 2][-1]
