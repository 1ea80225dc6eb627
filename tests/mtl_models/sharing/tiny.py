"""Three tasks on two tables, small enough to look at every number."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from mtl_models.config import NetworkConfig
from mtl_models.sharing import ARCHITECTURES, Sharing, build_sharing

# "b" and "c" read the same rows. No width is 3, so that an axis of that length is one of tasks.
TASKS = {"a": "left", "b": "right", "c": "right"}
INPUTS = 5
FAMILIES = tuple(ARCHITECTURES)


def make(sharing: str, tasks: dict[str, str] = TASKS, seed: int = 0, **settings: Any) -> Sharing:
    """A family with two narrow layers, no dropout and four experts for a task."""
    torch.manual_seed(seed)
    narrow = {"trunk_widths": (8, 6), "dropout": 0.0, "experts": 4, "shared_experts": 2, "specific_experts": 2}
    config = NetworkConfig(**narrow | {"sharing": sharing} | settings)
    return build_sharing(INPUTS, tasks, config)


def some_rows(seed: int = 1, left: int = 20, right: int = 14) -> dict[str, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return {
        "left": torch.randn(left, INPUTS, generator=generator),
        "right": torch.randn(right, INPUTS, generator=generator),
    }


def gradients(sharing: Sharing, task: str, rows: dict[str, Tensor]) -> dict[str, Tensor]:
    """{parameter: gradient} of a loss of one task; those that it does not reach are left out."""
    sharing.zero_grad(set_to_none=True)
    # Squares: the sum of normalised features would hardly depend on the weights.
    (sharing(rows)[task] ** 2).sum().backward()
    return {name: p.grad for name, p in sharing.named_parameters() if p.grad is not None and bool((p.grad != 0).any())}


def train(
    sharing: Sharing, rows: dict[str, Tensor], targets: dict[str, Tensor], steps: int, rate: float = 0.01
) -> list[float]:
    """Losses of fitting a fixed sum of each task's features to its targets."""
    readout = torch.linspace(-1.0, 1.0, sharing.width)
    optimiser = torch.optim.AdamW(sharing.parameters(), lr=rate)
    losses = []
    for _ in range(steps):
        features = sharing(rows)
        fit = torch.stack([((features[task] @ readout - target) ** 2).mean() for task, target in targets.items()]).sum()
        optimiser.zero_grad(set_to_none=True)
        (fit + sharing.penalty()).backward()
        optimiser.step()
        losses.append(fit.item())
    return losses


def targets_of(rows: dict[str, Tensor]) -> dict[str, Tensor]:
    """What each task is to learn: a column of its rows."""
    return {task: rows[table][:, i].tanh() for i, (task, table) in enumerate(TASKS.items())}
