"""The steps of training, and the average of the weights that they leave behind."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from copy import deepcopy
from typing import Any

import torch
from torch import Tensor, nn

from mtl_models.config import ModelConfig
from mtl_models.encoders import big_tables
from mtl_models.model import JointModel

# Averaged weights follow the trained ones with this memory: they are what is validated and kept, and make a
# decaying step size needless (Izmailov et al. 2018; Morales-Brotons et al. 2024).
AVERAGE_MEMORY = 0.99
GRADIENT_NORM = 1.0
# Stands for a memory of nothing, whose logarithm has no end.
NO_MEMORY = 1e-20


class Optimiser:
    """AdamW for what every batch trains, SparseAdam for big tables of ids, of which a batch sees few rows: only these
    rows move, and only they cost anything.

    `average` follows all of them; that of a big table is up to date after `catch_up`. Rows of big tables do not decay:
    in a whole training it would be some hundredths of their weights.
    """

    def __init__(self, model: JointModel, groups: Sequence[dict[str, Any]], config: ModelConfig) -> None:
        self.model, self.average = model, deepcopy(model)
        pairs = list(zip(model.parameters(), self.average.parameters(), strict=True))
        big = set(big_tables(model))
        small, seldom = _only(groups, lambda parameter: parameter not in big), _only(groups, big.__contains__)
        adam = torch.optim.AdamW(small, lr=config.learning_rate, weight_decay=config.weight_decay, fused=True)
        self.kinds: list[torch.optim.Optimizer] = [adam]
        if seldom:
            self.kinds.append(torch.optim.SparseAdam(seldom))
        # Listed once: to walk the modules in each step, as torch's AveragedModel does, takes a sixth of the training.
        self.parameters: list[Tensor] = [trained for trained, _ in pairs if trained not in big]
        self.averaged: list[Tensor] = [averaged for trained, averaged in pairs if trained not in big]
        self.tables = [RowAverage(trained, averaged.detach()) for trained, averaged in pairs if trained in big]
        self.steps, self.log_memory = 0, 0.0

    @property
    def param_groups(self) -> list[dict[str, Any]]:
        """Those of all kinds."""
        return [group for optimiser in self.kinds for group in optimiser.param_groups]

    def clear(self) -> None:
        """Forget the gradients of the step before."""
        for optimiser in self.kinds:
            optimiser.zero_grad(set_to_none=True)

    @torch.no_grad()
    def clip(self) -> Tensor:
        """Shorten the gradients to the longest that a step may take; returns how long they were together."""
        if not self.tables:
            return nn.utils.clip_grad_norm_(self.parameters, GRADIENT_NORM)
        rows = [table.gradient() for table in self.tables]
        dense = [parameter.grad for parameter in self.parameters if parameter.grad is not None]
        norm = nn.utils.get_total_norm([*dense, *rows])
        nn.utils.clip_grads_with_norm_(self.parameters, GRADIENT_NORM, norm)
        for gradient in rows:
            gradient.mul_((GRADIENT_NORM / (norm + 1e-6)).clamp(max=1.0))
        return norm

    @torch.no_grad()
    def step(self) -> None:
        """Move the weights, and the average towards them; quickly at first, when the start is all it remembers."""
        memory = min(AVERAGE_MEMORY, (1 + self.steps) / (10 + self.steps)) if self.steps else 0.0
        for table in self.tables:
            table.catch_up(self.log_memory, table.seen())
        for optimiser in self.kinds:
            optimiser.step()
        torch._foreach_lerp_(self.averaged, self.parameters, 1 - memory)
        self.log_memory += math.log(max(memory, NO_MEMORY))
        for table in self.tables:
            table.catch_up(self.log_memory, table.seen())
        self.steps += 1

    @torch.no_grad()
    def catch_up(self) -> None:
        """Bring the average of every row up to date, and take over what is not trained by gradient."""
        for table in self.tables:
            table.catch_up(self.log_memory, slice(None))
        for averaged, current in zip(self.average.buffers(), self.model.buffers(), strict=True):
            averaged.copy_(current)

    def restart_from(self, weights: dict[str, Tensor], learning_rate: float) -> None:
        """Go on from these weights, in the model and in the average, at another step size."""
        self.catch_up()
        self.model.load_state_dict(weights)
        self.average.load_state_dict(weights)
        for group in self.param_groups:
            group["lr"] = learning_rate * group["factor"]


class RowAverage:
    """The average of one big table, which follows a row when that is trained. Until then the row stands still, so that
    its average comes nearer by a known factor, which can wait."""

    def __init__(self, trained: Tensor, averaged: Tensor) -> None:
        self.trained, self.averaged = trained, averaged
        # The sum of the logarithms of memory up to which each row's average is up to date.
        self.log_memory = averaged.new_zeros(len(averaged))

    def gradient(self) -> Tensor:
        """[rows seen, width] of the latest backward pass, to be changed in place; a row's parts are added up."""
        if self.trained.grad is None:
            return self.averaged.new_zeros(0)
        self.trained.grad = self.trained.grad.coalesce()
        return self.trained.grad._values()

    def seen(self) -> Tensor:
        """[rows seen] in the latest backward pass."""
        if self.trained.grad is None:
            return torch.empty(0, dtype=torch.int64, device=self.averaged.device)
        return self.trained.grad.coalesce().indices()[0]

    def catch_up(self, log_memory: float, rows: Tensor | slice) -> None:
        """Bring the average of the rows to where it would be had it followed each step."""
        kept = torch.exp(log_memory - self.log_memory[rows])[:, None]
        trained = self.trained.detach()[rows]
        self.averaged[rows] = torch.lerp(trained, self.averaged[rows], kept)
        self.log_memory[rows] = log_memory


def _only(groups: Sequence[dict[str, Any]], is_wanted: Callable[[object], bool]) -> list[dict[str, Any]]:
    """The groups with the wanted parameters alone; those without any are left out."""
    wanted = ({**group, "params": list(filter(is_wanted, group["params"]))} for group in groups)
    return [group for group in wanted if group["params"]]
