"""What is learned from sales at an empty shelf."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from mtl_models.censoring import observed_demand
from mtl_models.losses import poisson_deviance
from mtl_models.predict import predict
from mtl_models.scorecard import score_supply
from tests.mtl_models.toy_shop import Shop, new_model, train


def with_stockouts(shop: Shop, ratio: float) -> Shop:
    """The same demand, but every other week only a share of it meets stock and is sold."""
    folds = []
    for fold in (shop.train, shop.validation):
        rows = fold["demand"]
        available = torch.where(torch.arange(len(rows)) % 2 == 0, ratio, 1.0)
        sold = (rows.targets["units"] * available).round()
        folds.append(fold | {"demand": replace(rows, targets={"units": sold, "available_ratio": available})})
    return Shop(shop.preprocessing, shop.entities, *folds)


def test_a_week_counts_by_the_part_with_stock(shop: Shop) -> None:
    rows = shop.train["demand"].take(slice(0, 4))
    targets = {"units": torch.full((4,), 6.0), "available_ratio": torch.tensor([1.0, 0.5, 0.1, torch.nan])}
    demand, weights = observed_demand(replace(rows, targets=targets))
    assert demand[:2].tolist() == [6.0, 12.0] and demand[2:].isnan().all()
    assert weights.tolist() == [1.0, 0.5, 0.0, 0.0]


def test_exposure_is_a_weight_on_the_rate() -> None:
    log_mean, sold, ratio = torch.tensor([0.3, 2.0]), torch.tensor([3.0, 5.0]), torch.tensor([0.4, 0.9])
    exposed = poisson_deviance(log_mean + ratio.log(), sold)
    torch.testing.assert_close(exposed, ratio * poisson_deviance(log_mean, sold / ratio))


def test_the_forecast_is_of_demand_not_of_sales(shop: Shop) -> None:
    """Half of the weeks sell 40% of what is asked for. The forecast of what is asked for stays within a few percent
    of the one learned with full shelves; taking sales for demand would lose 30%."""
    full, censored = (train(part, epochs=8) for part in (shop, with_stockouts(shop, 0.4)))
    rows = {"demand": shop.validation["demand"]}
    told, learned = (predict(model.model, shop.entities, rows)["supply"] for model in (full, censored))
    for name in ("demand_units_mean", "demand_units_p50", "demand_units_p90"):
        assert float(learned[name].sum() / told[name].sum()) == pytest.approx(1, abs=0.08), name


def test_scarce_weeks_are_measured_as_demand(shop: Shop) -> None:
    scarce = with_stockouts(shop, 0.5).validation["demand"]
    predicted = predict(new_model(shop), shop.entities, {"demand": scarce})["supply"]
    targets, baselines, inputs, columns = (
        {name: values.double().numpy() for name, values in part.items()}
        for part in (scarce.targets, scarce.baselines, scarce.inputs, predicted)
    )
    (score,) = [s for s in score_supply(targets, baselines, inputs, columns) if s.metric == "wape_scarce"]
    assert score.sample_count == len(scarce) / 2
