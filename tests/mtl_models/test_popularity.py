"""Lists put what everybody buys a little later; probabilities know nothing of that."""

from __future__ import annotations

from dataclasses import replace

import torch

from mtl_models.heads.recommendation import POPULARITY_DISCOUNT
from mtl_models.predict import predict
from mtl_models.samples import TaskSamples
from tests.mtl_models.toy_shop import Trained


def predicted(trained: Trained, rows: TaskSamples) -> dict[str, torch.Tensor]:
    return predict(trained.model, trained.shop.entities, {"recommendation": rows})["recommendation"]


def test_of_two_as_likely_the_rarer_leads(trained: Trained) -> None:
    """By the discount's share of the log of how much more the other sells."""
    rows = trained.shop.validation["recommendation"]
    found = predicted(trained, rows)
    odds = trained.model(trained.shop.entities, {"recommendation": rows})["recommendation"]["bought_28d"].detach()
    popularity = rows.baselines["popularity"] + 1e-3
    torch.testing.assert_close(found["score"], odds - POPULARITY_DISCOUNT * popularity.log())
    torch.testing.assert_close(found["popularity_discount_ratio"], popularity**-POPULARITY_DISCOUNT)


def test_probabilities_follow_the_odds_alone(trained: Trained) -> None:
    """Another popularity moves them by what the model has learned of it, never by the discount."""
    rows = trained.shop.validation["recommendation"]
    popular = replace(rows, baselines={**rows.baselines, "popularity": 10 * rows.baselines["popularity"] + 0.009})
    before, after = predicted(trained, rows), predicted(trained, popular)
    moved = POPULARITY_DISCOUNT * torch.log(torch.tensor(10.0))
    learned = trained.model.head("recommendation").blend[0] * torch.log(torch.tensor(10.0))  # type: ignore[index]
    torch.testing.assert_close(after["score"] - before["score"], (learned - moved).expand(len(rows)), atol=1e-4, rtol=0)
    head = trained.model.head("recommendation")
    odds = before["score"] + POPULARITY_DISCOUNT * torch.log(rows.baselines["popularity"] + 1e-3)
    torch.testing.assert_close(
        after["purchase_probability"], head.probability("bought_28d", {"bought_28d": odds + learned})
    )
