"""Adversarial shared-private sharing (Liu, Qiu and Huang 2017): a shared trunk that must not tell the tasks apart, and
a private one for each task.

A discriminator guesses from the shared features which table a row is of; the shared trunk gets its gradient reversed
(Ganin and Lempitsky 2015). The discriminator learns from its whole loss, the trunk from a small part of it: one that
lags behind its adversary is fooled by features that tell the tables apart the other way round. Shared and private
features are kept orthogonal (Bousmalis et al. 2016), so that neither repeats the other.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from mtl_models.config import NetworkConfig
from mtl_models.sharing.base import Sharing
from mtl_models.sharing.layers import by_table, joined, last_weight, make_trunk

# How steeply the reversal sets in (Ganin and Lempitsky 2015).
RAMP_STEEPNESS = 10.0
# Wide enough to see more than the tables' means.
DISCRIMINATOR_WIDTH = 32


class AdversarialSharing(Sharing):
    """Features are those of both trunks, side by side. Tasks that read the same rows are one to the discriminator."""

    steps: Tensor

    def __init__(self, input_width: int, tasks: Mapping[str, str], config: NetworkConfig) -> None:
        super().__init__(input_width, tasks, config)
        self.config = config
        self.shared = make_trunk(input_width, config.trunk_widths, config)
        self.private = nn.ModuleDict({task: make_trunk(input_width, config.trunk_widths, config) for task in tasks})
        self.tables = tuple(dict.fromkeys(tasks.values()))
        self.discriminator = nn.Sequential(
            nn.Linear(config.trunk_widths[-1], DISCRIMINATOR_WIDTH),
            nn.SiLU(),
            nn.Linear(DISCRIMINATOR_WIDTH, len(self.tables)),
        )
        self.register_buffer("steps", torch.zeros(()))
        self.width = 2 * config.trunk_widths[-1]
        self._penalty: Tensor | None = None

    def forward(self, rows: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """{table: [n, input_width]} to {task: [n, width]}."""
        shared = by_table(rows, self.shared(joined(rows)))
        private = {task: self.private[task](rows[table]) for task, table in self.tasks_of(rows).items()}
        pairs = [(shared[self.tasks[task]], features) for task, features in private.items()]
        if self.training:
            self.steps += 1
            overlaps = torch.stack([overlap(*pair) for pair in pairs]).sum()
            self._penalty = self._discriminator_loss(shared) + self.config.orthogonality_strength * overlaps
        return {task: torch.cat(pair, dim=1) for task, pair in zip(private, pairs, strict=True)}

    def shared_parameters(self) -> list[nn.Parameter]:
        """The last layer of the shared trunk."""
        return [last_weight(self.shared)]

    def penalty(self) -> Tensor:
        """The discriminator's loss and the overlap of both trunks' features in the latest training pass; handed over
        once, for it holds that pass's graph."""
        penalty, self._penalty = self._penalty, None
        return super().penalty() if penalty is None else penalty

    def reversal_strength(self) -> Tensor:
        """From 0 to `adversary_strength` over `reversal_steps` training passes: a discriminator that knows nothing yet
        has nothing to teach."""
        progress = (self.steps / self.config.reversal_steps).clamp_max(1.0)
        return self.config.adversary_strength * (2 * torch.sigmoid(RAMP_STEEPNESS * progress) - 1)

    def _discriminator_loss(self, shared: Mapping[str, Tensor]) -> Tensor:
        """Cross-entropy of the guessed tables, each table with equal say; 0 in a batch of one table, where nothing is
        to be told apart."""
        if len(shared) < 2:
            return super().penalty()
        strength, losses = self.reversal_strength(), []
        for table, features in shared.items():
            guesses = self.discriminator(ReverseGradient.apply(features, strength))  # [n, tables]
            truth = torch.full((len(features),), self.tables.index(table), device=features.device)
            losses.append(functional.cross_entropy(guesses, truth))
        return torch.stack(losses).mean()


class ReverseGradient(torch.autograd.Function):
    """The identity, whose gradient is multiplied by -strength."""

    @staticmethod
    def forward(ctx: Any, features: Tensor, strength: Tensor) -> Tensor:
        """The features."""
        ctx.save_for_backward(strength)
        return features.view_as(features)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        """The gradient, reversed."""
        (strength,) = ctx.saved_tensors
        return -strength * gradient, None


def overlap(shared: Tensor, private: Tensor) -> Tensor:
    """How far the columns of two feature matrices [n, width] span the same: 0 when orthogonal, at most 1."""
    left, right = (functional.normalize(features - features.mean(dim=0), dim=1) for features in (shared, private))
    return (left.T @ right / len(left)).square().sum()
