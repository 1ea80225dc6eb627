"""The gradients of each task's loss."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from mtl_models.balancing.base import Losses


def task_gradients(
    losses: Losses, shared: Sequence[nn.Parameter], own: Mapping[str, Sequence[nn.Parameter]] | None = None
) -> tuple[Tensor, dict[str, tuple[Tensor, ...]]]:
    """[tasks, shared parameters] each loss's gradient where all tasks share, and {task: its gradient at the parameters
    of its own}.

    Rows of different tasks have different grains, so gradients at the shared features would be orthogonal whatever the
    tasks want: the weights of the last layer that all train are where they meet. The backward pass goes no deeper, and
    the graph stays usable. Raises ValueError where nothing is shared.
    """
    if not shared:
        raise ValueError(
            "balancing compares gradients where tasks share, but here they share nothing. Remedy: another sharing, or "
            'balancing = "fixed".'
        )
    rows, own_gradients = [], {}
    for task, loss in losses.items():
        wanted = [*shared, *(own or {}).get(task, ())]
        gradients = torch.autograd.grad(loss, wanted, retain_graph=True, materialize_grads=True)
        rows.append(torch.cat([gradient.flatten() for gradient in gradients[: len(shared)]]))
        own_gradients[task] = gradients[len(shared) :]
    return torch.stack(rows), own_gradients
