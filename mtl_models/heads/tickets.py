"""Tickets: how urgent one is, how long it takes, and whether the promise to the customer will be missed."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from mtl_models.heads.base import Head, Outputs, View
from mtl_models.losses import binary_cross_entropy, gamma_deviance, known, logit, masked_mean
from mtl_models.samples import TaskSamples
from mtl_models.tower import Tower

PRIORITIES = ("low", "normal", "high", "urgent")


class TicketTriage(Head):
    """Three targets of one ticket, each with the loss of its kind, over what is usual for its reason: minutes as a
    gamma mean, the missed promise as log odds, the priority as one of four classes."""

    table = "service_tickets"
    log_odds = ("missed",)

    def __init__(self, width: int, interests: int) -> None:
        super().__init__(width, interests)
        self.residual = Tower(width, 2 + len(PRIORITIES))

    def forward(self, view: View, rows: TaskSamples) -> Outputs:
        """[n] log minutes, [n] log odds of a missed promise, [n, 4] log shares of the priorities."""
        residual, usual = self.residual(view.shared), rows.baselines
        shares = torch.stack([usual[f"priority_{name}"] for name in PRIORITIES], dim=1)
        return {
            "log_minutes": usual["handle_minutes"].clamp_min(0.1).log() + residual[:, 0],
            "missed": logit(usual["missed"], margin=0.01) + residual[:, 1],
            "log_priorities": functional.log_softmax(shares.log() + residual[:, 2:], dim=1),
        }

    def residuals(self, view: View) -> Tensor:
        """[n, 1] of the log odds of a missed promise."""
        return self.residual(view.shared)[:, 1:2]

    def losses(self, outputs: Outputs, rows: TaskSamples) -> dict[str, Tensor]:
        """Gamma deviance of the minutes, cross-entropies of the promise and of the priority."""
        minutes, missed, priority = (rows.targets[name] for name in ("handle_minutes", "missed", "priority"))
        deviance = gamma_deviance(outputs["log_minutes"], known(minutes))
        chosen = functional.nll_loss(outputs["log_priorities"], known(priority).long(), reduction="none")
        return {
            "handle_minutes": masked_mean(deviance, minutes),
            "missed": masked_mean(binary_cross_entropy(outputs["missed"], known(missed)), missed),
            "priority": masked_mean(chosen, priority),
        }

    def predictions(self, outputs: Outputs, rows: TaskSamples) -> dict[str, Tensor]:
        """Columns of predicted.service_tickets."""
        priorities = {f"priority_{name}": outputs["log_priorities"][:, i].exp() for i, name in enumerate(PRIORITIES)}
        return {
            "expected_handle_minutes": outputs["log_minutes"].exp(),
            "missed_probability": self.probability("missed", outputs),
            **priorities,
        }
