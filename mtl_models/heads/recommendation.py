"""Recommendation: which candidate products a user buys within 28 days; one score serves every list."""

from __future__ import annotations

import torch
from torch import Tensor

from mtl_models.baselines import fit_logistic
from mtl_models.heads.base import Head, Outputs, View
from mtl_models.losses import binary_cross_entropy, known, masked_mean
from mtl_models.samples import Entities, TaskSamples
from mtl_models.tower import Tower

# A product of ten times the sales is put where 13% fewer would buy it. What everybody buys fills the lists otherwise:
# measured on the validation window of the grocery chain, lists of 20 name 10% more of the catalogue at an NDCG 1% less.
POPULARITY_DISCOUNT = 0.06


class Recommendation(Head):
    """The log odds of a purchase: a logistic blend of popularity and personal frequency, plus a residual. Lists are
    ordered by these less a share of the log popularity, so that they show more of the catalogue."""

    table = "recommendation"
    log_odds = ("bought_28d",)
    blend: Tensor

    def __init__(self, width: int, interests: int) -> None:
        super().__init__(width, interests)
        self.score = Tower(width, 1)
        self.register_buffer("blend", torch.zeros(4))

    def fit_baseline(self, rows: TaskSamples, entities: Entities) -> None:
        """The blend, by weighted logistic regression."""
        self.blend.copy_(fit_logistic(_signals(rows), rows.targets["bought_28d"], rows.weights))

    def forward(self, view: View, rows: TaskSamples) -> Outputs:
        """[n] log odds."""
        return {"bought_28d": _signals(rows) @ self.blend + self.residuals(view).squeeze(1)}

    def residuals(self, view: View) -> Tensor:
        """[n, 1] of the log odds."""
        return self.score(view.shared)

    def losses(self, outputs: Outputs, rows: TaskSamples) -> dict[str, Tensor]:
        """Cross-entropy of each pair, which keeps probabilities honest, and of each user's list, which orders it."""
        target, score = rows.targets["bought_28d"], outputs["bought_28d"]
        return {
            "pairs": masked_mean(binary_cross_entropy(score, known(target)), target, rows.weights),
            "lists": _listwise(score, known(target), rows.weights, rows.groups),
        }

    def predictions(self, outputs: Outputs, rows: TaskSamples) -> dict[str, Tensor]:
        """Columns of predicted.recommendation."""
        discount = -POPULARITY_DISCOUNT * _log_popularity(rows)
        return {
            "score": outputs["bought_28d"] + discount,
            "purchase_probability": self.probability("bought_28d", outputs),
            "popularity_discount_ratio": discount.exp(),
        }


def _signals(rows: TaskSamples) -> Tensor:
    """[n, 4]: popularity and personal frequency on the log scale, whether there is a personal one, a constant."""
    popular, personal = _log_popularity(rows), known(rows.baselines["personal"])
    columns = [popular, torch.log(personal + 1e-2), (personal > 0).float(), torch.ones_like(popular)]
    return torch.stack(columns, dim=1)


def _log_popularity(rows: TaskSamples) -> Tensor:
    """[n] of the product's sales in recent days, by decay."""
    return torch.log(rows.baselines["popularity"] + 1e-3)


def _listwise(score: Tensor, bought: Tensor, weights: Tensor, groups: Tensor) -> Tensor:
    """Mean softmax cross-entropy of the bought products of each list (ListNet, Cao et al. 2007); a product that
    stands for several (sampled negatives) counts as several in the denominator."""
    lists, group = torch.unique(groups, return_inverse=True)
    weighted = score + torch.log(weights)
    highest = torch.full((len(lists),), -torch.inf, device=score.device)
    highest = highest.scatter_reduce(0, group, weighted.detach(), "amax")
    total = torch.zeros_like(highest).index_add_(0, group, (weighted - highest[group]).exp())
    log_share = score - highest[group] - total.log()[group]
    return -(log_share * bought).sum() / bought.sum().clamp_min(1.0)
