"""Product quality: how customers will rate what a recommendation puts before them, as bad, medium or good."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from mtl_models.heads.base import Head, Outputs, View
from mtl_models.losses import masked_mean
from mtl_models.samples import TaskSamples
from mtl_models.tower import Tower

# A mean rating below the first bound is bad, from the second on good; 1 to 5 stars.
QUALITY_BOUNDS = (3.0, 4.0)


class ProductQuality(Head):
    """A latent rating over the smoothed past one, and ordered classes cut from it (McCullagh 1980). What is observed is
    a mean of few ratings: `log_noise` learns how far that lies from the latent one, so that the class is that of the
    product, not that of the next customer's mood.

    A product comes back every week with much the same ratings, so rows show features only: with ids the head learned
    them by heart within two passes (measured on validation rows, seven passes: relative loss 0.83 with ids, 0.77
    without).
    """

    table = "product_quality"
    is_blind_to_ids = True

    def __init__(self, width: int, interests: int) -> None:
        super().__init__(width, interests)
        self.residual = Tower(width, 1, hidden=32)
        self.log_noise = nn.Parameter(torch.tensor(-1.0))

    def forward(self, view: View, rows: TaskSamples) -> Outputs:
        """[n] latent rating and [n, 2] log odds that the observed class is below each bound."""
        rating = rows.baselines["rating"] + self.residual(view.shared).squeeze(1)
        bounds = rating.new_tensor(QUALITY_BOUNDS)
        return {"rating": rating, "below": (bounds - rating[:, None]) * torch.exp(-self.log_noise)}

    def losses(self, outputs: Outputs, rows: TaskSamples) -> dict[str, Tensor]:
        """Squared error of the rating and cross-entropy of the ordered class, each by the number of ratings."""
        target, weights = rows.targets["rating"], rows.weights
        squared = (outputs["rating"] - torch.nan_to_num(target)) ** 2
        below = (target[:, None] < target.new_tensor(QUALITY_BOUNDS)).float()
        classes = nn.functional.binary_cross_entropy_with_logits(outputs["below"], below, reduction="none").sum(dim=1)
        return {"rating": masked_mean(squared, target, weights), "class": masked_mean(classes, target, weights)}

    def predictions(self, outputs: Outputs, rows: TaskSamples) -> dict[str, Tensor]:
        """Columns of predicted.product_quality; `quality_number` is 0 bad, 1 medium, 2 good."""
        bad, not_good = outputs["below"].sigmoid().unbind(dim=1)
        return {
            "expected_rating": outputs["rating"].clamp(1.0, 5.0),
            "quality_number": (outputs["rating"][:, None] >= outputs["rating"].new_tensor(QUALITY_BOUNDS)).sum(dim=1),
            "bad_probability": bad,
            "good_probability": 1 - not_good,
        }
