"""The layers that the families of sharing are made of."""

from __future__ import annotations

from collections.abc import Mapping
from functools import reduce
from itertools import chain, pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional


def make_trunk(input_width: int, widths: tuple[int, ...], dropout: float) -> nn.Sequential:
    """[n, input_width] to [n, widths[-1]]. LayerNorm goes without gain and bias: they only add parameters (Xu et al.
    2019), and would cost a batch of experts a sixth of its step."""
    layers: list[nn.Module] = []
    for before, after in pairwise((input_width, *widths)):
        norm = nn.LayerNorm(after, elementwise_affine=False)
        layers += [nn.Linear(before, after), norm, nn.SiLU(), Dropout(dropout)]
    return nn.Sequential(*layers)


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

    def __init__(self, count: int, before: int, after: int, dropout: float) -> None:
        super().__init__()
        bound = before**-0.5  # as nn.Linear starts, and laid out like it
        self.weights = nn.Parameter(torch.empty(count, after, before).uniform_(-bound, bound))
        self.bias = nn.Parameter(torch.empty(count, 1, after).uniform_(-bound, bound))
        self.dropout = Dropout(dropout)

    def forward(self, rows: Tensor) -> Tensor:
        """[n, before], read by all, or [count, n, before], each its own, to [count, n, after]."""
        if rows.ndim == 3:
            return self._activate(torch.baddbmm(self.bias, rows, self.weights.mT))
        # One layer as wide as all of them: a third of the time of a batched product, and no sum over layers backward.
        wide = functional.linear(rows, self.weights.flatten(0, 1), self.bias.flatten())
        return self._activate(wide.view(len(rows), *self.bias.shape[::2])).transpose(0, 1).contiguous()

    def _activate(self, hidden: Tensor) -> Tensor:
        return self.dropout(functional.silu(functional.layer_norm(hidden, hidden.shape[-1:])))


class Experts(nn.Module):
    """`count` trunks side by side: [n, input_width] to [count, n, widths[-1]]."""

    def __init__(self, count: int, input_width: int, widths: tuple[int, ...], dropout: float) -> None:
        super().__init__()
        self.layers = nn.ModuleList(StackedLayer(count, *pair, dropout) for pair in pairwise((input_width, *widths)))

    def forward(self, rows: Tensor) -> Tensor:
        """[count, n, widths[-1]] for rows [n, input_width]."""
        for layer in self.layers:
            rows = layer(rows)
        return rows

    def last_weights(self) -> nn.Parameter:
        """[count, after, before]: those of the last layer."""
        return self.layers[-1].get_parameter("weights")


class Gate(nn.Module):
    """How much a row takes from each expert: a softmax of one linear layer. `usage` [experts] is the mean over the
    rows of the latest pass."""

    usage: Tensor

    def __init__(self, input_width: int, experts: int) -> None:
        super().__init__()
        self.choose = nn.Linear(input_width, experts)
        self.usage = torch.full((experts,), 1 / experts)

    def forward(self, rows: Tensor, *groups: Tensor) -> Tensor:
        """[n, width] for rows [n, input_width] and groups of experts [count, n, width]."""
        shares = self.choose(rows).T.softmax(dim=0)  # [experts, n]: half the time of [n, experts]
        self.usage = shares.detach().mean(dim=1)
        experts = chain.from_iterable(group.unbind() for group in groups)
        return reduce(torch.add, map(torch.mul, shares[:, :, None].unbind(), experts))


def usage(gates: nn.ModuleDict) -> dict[str, Tensor]:
    """{name: [experts]} of each gate."""
    return {name: gate.usage for name, gate in gates.items() if isinstance(gate, Gate)}


def joined(rows: Mapping[str, Tensor]) -> Tensor:
    """[rows of all tables, width]: one batch of the tables' rows."""
    return torch.cat(list(rows.values()))


def by_table(rows: Mapping[str, Tensor], features: Tensor, dim: int = 0) -> dict[str, Tensor]:
    """The features of joined rows, table by table again."""
    return dict(zip(rows, features.split([len(part) for part in rows.values()], dim), strict=True))


def last_weight(trunk: nn.Sequential) -> nn.Parameter:
    """The weights of the last linear layer of a trunk."""
    return [parameter for parameter in trunk.parameters() if parameter.ndim == 2][-1]
