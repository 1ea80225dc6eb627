"""Service: which orders lead to a contact or a return, and how many contacts come each day."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from mtl_models.heads.base import Head, Outputs, View
from mtl_models.losses import (
    binary_cross_entropy,
    known,
    logit,
    masked_mean,
    negative_binomial_deviance,
    pinball,
)
from mtl_models.samples import TaskSamples
from mtl_models.tower import Tower

RISKS = ("contacted", "returned")
LEVELS = (0.1, 0.5, 0.9)
DISPERSION = 0.2


class OrderRisk(Head):
    """The probability that an order leads to a contact, and to a return, over the shop's average."""

    table = "service_orders"
    constant_logits: Tensor

    def __init__(self, width: int, interests: int) -> None:
        super().__init__(width, interests)
        self.residual = Tower(width, len(RISKS))
        self.register_buffer("constant_logits", torch.zeros(len(RISKS)))

    def fit_baseline(self, rows: TaskSamples) -> None:
        """The average rates."""
        rates = torch.stack([torch.nanmean(rows.targets[name]) for name in RISKS])
        self.constant_logits.copy_(logit(torch.nan_to_num(rates, nan=0.5)))

    def forward(self, view: View, rows: TaskSamples) -> Outputs:
        """[n] log odds of each risk."""
        log_odds = self.constant_logits + self.residual(view.shared)
        return dict(zip(RISKS, log_odds.unbind(dim=1), strict=True))

    def losses(self, outputs: Outputs, rows: TaskSamples) -> dict[str, Tensor]:
        """Cross-entropy of each risk."""
        targets = {name: rows.targets[name] for name in RISKS}
        return {n: masked_mean(binary_cross_entropy(outputs[n], known(t)), t) for n, t in targets.items()}

    def predictions(self, outputs: Outputs, rows: TaskSamples) -> dict[str, Tensor]:
        """Columns of predicted.service_orders."""
        return {
            "contact_probability": outputs["contacted"].sigmoid(),
            "return_probability": outputs["returned"].sigmoid(),
        }


class DailyContacts(Head):
    """Contacts of a day, channel and reason, over the recent mean, with quantiles."""

    table = "service_days"

    def __init__(self, width: int, interests: int) -> None:
        super().__init__(width, interests)
        self.residual = Tower(width, 1 + len(LEVELS))

    def forward(self, view: View, rows: TaskSamples) -> Outputs:
        """[n] log mean contacts and [n, 3] ordered quantiles."""
        residual = self.residual(view.shared)
        log_mean = torch.log(rows.baselines["contacts"].clamp_min(0.05)) + residual[:, 0]
        middle = log_mean.exp() * residual[:, 2].exp()
        lower, upper = torch.sigmoid(residual[:, 1]), 1 + functional.softplus(residual[:, 3])
        return {"log_mean": log_mean, "quantiles": torch.stack([middle * lower, middle, middle * upper], dim=1)}

    def losses(self, outputs: Outputs, rows: TaskSamples) -> dict[str, Tensor]:
        """Deviance of the mean, pinball of the quantiles."""
        target = rows.targets["contacts"]
        count = known(target)
        deviance = negative_binomial_deviance(outputs["log_mean"], count, DISPERSION)
        losses = {"contacts_mean": masked_mean(deviance, target)}
        for i, level in enumerate(LEVELS):
            losses[f"contacts_p{level * 100:.0f}"] = masked_mean(
                pinball(outputs["quantiles"][:, i], count, level), target
            )
        return losses

    def predictions(self, outputs: Outputs, rows: TaskSamples) -> dict[str, Tensor]:
        """Columns of predicted.service_days."""
        names = [f"contacts_p{level * 100:.0f}" for level in LEVELS]
        quantiles = dict(zip(names, outputs["quantiles"].unbind(dim=1), strict=True))
        return {"contacts_mean": outputs["log_mean"].exp(), **quantiles}
