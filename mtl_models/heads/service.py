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
from mtl_models.samples import Entities, TaskSamples
from mtl_models.tower import Tower

RISKS = ("contacted", "returned")
LEVELS = (0.1, 0.5, 0.9)
DISPERSION = 0.2
# Own rates of a queue that its mean is mixed from: on that weekday given recent orders, lately, on that weekday.
RATES = ("contacts_expected", "contacts_28d", "contacts")
# Furthest that a mean may lie from its mixture, on the log scale.
MOST_TILT = 0.15
# Points of the even noise around a count.
NOISE = (-0.4, -0.2, 0.0, 0.2, 0.4)
# softplus of it is the 90% quantile of a normal distribution.
SOFTPLUS_Z_90 = 0.955


class OrderRisk(Head):
    """The probability that an order leads to a contact, and to a return, over the shop's average.

    An order is looked at every week while it is open, with the same outcome: with ids the head learns by heart who
    once asked (measured on validation rows of two shops: relative loss after six passes 1.03 and 1.03 with ids, 0.99
    and 0.97 without; the best passes alike).
    """

    table = "service_orders"
    is_blind_to_ids = True
    log_odds = RISKS
    constant_logits: Tensor

    def __init__(self, width: int, interests: int) -> None:
        super().__init__(width, interests)
        self.residual = Tower(width, len(RISKS))
        self.register_buffer("constant_logits", torch.zeros(len(RISKS)))

    def fit_baseline(self, rows: TaskSamples, entities: Entities) -> None:
        """The average rates."""
        rates = torch.stack([torch.nanmean(rows.targets[name]) for name in RISKS])
        self.constant_logits.copy_(logit(torch.nan_to_num(rates, nan=0.5)))

    def forward(self, view: View, rows: TaskSamples) -> Outputs:
        """[n] log odds of each risk."""
        log_odds = self.constant_logits + self.residuals(view)
        return dict(zip(RISKS, log_odds.unbind(dim=1), strict=True))

    def residuals(self, view: View) -> Tensor:
        """[n, 2] of the log odds."""
        return self.residual(view.shared)

    def losses(self, outputs: Outputs, rows: TaskSamples) -> dict[str, Tensor]:
        """Cross-entropy of each risk."""
        targets = {name: rows.targets[name] for name in RISKS}
        return {n: masked_mean(binary_cross_entropy(outputs[n], known(t)), t) for n, t in targets.items()}

    def predictions(self, outputs: Outputs, rows: TaskSamples) -> dict[str, Tensor]:
        """Columns of predicted.service_orders."""
        return {
            "contact_probability": self.probability("contacted", outputs),
            "return_probability": self.probability("returned", outputs),
        }


class DailyContacts(Head):
    """Contacts of a day, channel and reason: a mixture of the queue's own rates, tilted a little, and quantiles that
    start from those of a Poisson count.

    A shop has few independent weeks: a mean free to follow the features learns by heart what those weeks were like
    (measured: deviance 2.0 where its start has 1.36).

    Counts are whole numbers. Their quantiles are learned as those of the count plus even noise within one unit
    (Machado and Santos Silva 2005), so that four of five days lie between p10 and p90 in small queues too.
    They are not calibrated: a window holds four weeks, which all queues share, and the next four differ (measured: p90
    covered 0.94 of the validation window and 0.89 of the test window).
    """

    table = "service_days"

    def __init__(self, width: int, interests: int) -> None:
        super().__init__(width, interests)
        self.mixture = Tower(width, len(RATES))
        self.residual = Tower(width, 1 + len(LEVELS))

    def forward(self, view: View, rows: TaskSamples) -> Outputs:
        """[n] log mean contacts and [n, 3] ordered quantiles."""
        rates = torch.stack([rows.baselines[name] for name in RATES], dim=1)  # [n, 3]
        say = functional.softmax(self.mixture(view.shared), dim=1)
        residual = self.residual(view.shared)
        log_mean = (say * rates).sum(dim=1).clamp_min(0.02).log() + MOST_TILT * torch.tanh(residual[:, 0])
        mean = log_mean.exp()
        middle, spread = mean * residual[:, 2].exp(), mean.sqrt()
        below, above = (spread * functional.softplus(residual[:, i] + SOFTPLUS_Z_90) for i in (1, 3))
        quantiles = torch.stack([(middle - below).clamp_min(0.0), middle, middle + above], dim=1)
        return {"log_mean": log_mean, "quantiles": quantiles}

    def losses(self, outputs: Outputs, rows: TaskSamples) -> dict[str, Tensor]:
        """Deviance of the mean, pinball of the quantiles."""
        target = rows.targets["contacts"]
        count = known(target)
        deviance = negative_binomial_deviance(outputs["log_mean"], count, DISPERSION)
        losses = {"contacts_mean": masked_mean(deviance, target)}
        for i, level in enumerate(LEVELS):
            quantile = outputs["quantiles"][:, i]
            smooth = torch.stack([pinball(quantile, count + noise, level) for noise in NOISE]).mean(dim=0)
            losses[f"contacts_p{level * 100:.0f}"] = masked_mean(smooth, target)
        return losses

    def predictions(self, outputs: Outputs, rows: TaskSamples) -> dict[str, Tensor]:
        """Columns of predicted.service_days."""
        names = [f"contacts_p{level * 100:.0f}" for level in LEVELS]
        quantiles = dict(zip(names, outputs["quantiles"].unbind(dim=1), strict=True))
        return {"contacts_mean": outputs["log_mean"].exp(), **quantiles}
