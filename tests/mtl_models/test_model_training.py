"""Training finds what is there to find, and keeps to its rules."""

from __future__ import annotations

import math

import pytest
import torch

from mtl_models import metrics
from mtl_models.fit import fit
from mtl_models.heads.quality import QUALITY_BOUNDS
from mtl_models.heads.service import MOST_TILT
from mtl_models.heads.tickets import PRIORITIES
from mtl_models.predict import predict
from mtl_models.relative_losses import start_losses
from tests.mtl_models.toy_shop import ELASTICITY, OFFER_EFFECT, TASKS, Shop, Trained, new_model


def test_every_task_beats_its_baseline(trained: Trained) -> None:
    best = min((epoch for epoch in trained.epochs if epoch.validation_losses), key=lambda epoch: epoch.validation_loss)
    assert set(best.validation_losses) == set(TASKS)
    assert all(loss < 1 for loss in best.validation_losses.values()), best.validation_losses


def test_losses_start_at_one(shop: Shop) -> None:
    model = new_model(shop)
    scales = start_losses(model, shop.entities, shop.train)
    again = start_losses(model, shop.entities, shop.train)
    assert scales == again
    assert "contacts_28d" not in scales["profile"], "a target that was never observed has no scale"


def test_the_elasticity_is_found(trained: Trained) -> None:
    demand = trained.shop.validation["demand"]
    elasticity = predict(trained.model, trained.shop.entities, {"demand": demand})["pricing"]["elasticity"]
    best_sellers = elasticity[demand.baselines["level"] > 20]
    assert best_sellers.mean() == pytest.approx(ELASTICITY, abs=0.15)


def test_the_service_head_learns_from_tickets(trained: Trained) -> None:
    rows = trained.shop.validation
    predicted = predict(trained.model, trained.shop.entities, rows)
    contacted = rows["service_orders"].targets["contacted"].numpy()
    assert metrics.auc(contacted, predicted["service_orders"]["contact_probability"].numpy()) > 0.75
    ratio = predicted["service_days"]["contacts_mean"] / rows["service_days"].baselines["contacts"]
    # The truth is half as much again; a mean may lie only so far from the queue's own rates.
    assert float(ratio.mean()) == pytest.approx(math.exp(MOST_TILT), abs=0.05)


def test_quality_is_the_products_own(trained: Trained) -> None:
    """Classes are those of the true mean rating, though each row saw it with noise, and better than those of what was
    heard before."""
    rows, entities = trained.shop.validation["product_quality"], trained.shop.entities
    predicted = predict(trained.model, entities, {"product_quality": rows})["quality"]
    truth = (3.5 + 0.8 * entities["product"].numbers[rows.slots["product"], 1]).clamp(1.0, 5.0)
    bounds = torch.tensor(QUALITY_BOUNDS)
    true_class, past_class = (torch.bucketize(r, bounds, right=True) for r in (truth, rows.baselines["rating"]))
    hits = (predicted["quality_number"] == true_class).float().mean()
    assert hits > (past_class == true_class).float().mean()
    assert (predicted["bad_probability"] + predicted["good_probability"] <= 1 + 1e-6).all()
    order = predicted["expected_rating"].argsort()
    assert (predicted["bad_probability"][order].diff() <= 1e-6).all()


def test_what_an_offer_adds_is_found(trained: Trained) -> None:
    """Half of the rows were offered something that raises the log odds of an order by 1.2."""
    rows = trained.shop.validation["promotion"]
    predicted = predict(trained.model, trained.shop.entities, {"promotion": rows})["uplift"]
    own = trained.shop.entities["user"].numbers[rows.slots["user"], 1] - 0.5
    truth = torch.sigmoid(own + OFFER_EFFECT) - torch.sigmoid(own)
    assert float(predicted["uplift"].mean()) == pytest.approx(float(truth.mean()), abs=0.07)
    assert metrics.spearman(own.numpy(), predicted["order_probability"].numpy()) > 0.7


def test_tickets_are_judged_by_what_tells_them_apart(trained: Trained) -> None:
    rows = trained.shop.validation["service_tickets"]
    predicted = predict(trained.model, trained.shop.entities, {"service_tickets": rows})["service_tickets"]
    minutes = rows.targets["handle_minutes"].numpy()
    assert metrics.spearman(minutes, predicted["expected_handle_minutes"].numpy()) > 0.6
    assert metrics.auc(rows.targets["missed"].numpy(), predicted["missed_probability"].numpy()) > 0.75
    shares = torch.stack([predicted[f"priority_{name}"] for name in PRIORITIES], dim=1)
    torch.testing.assert_close(shares.sum(dim=1), torch.ones(len(rows)))
    assert float((shares.argmax(dim=1) == rows.targets["priority"]).float().mean()) > 0.8


def test_passes_are_reported_and_the_last_has_no_validation(trained: Trained) -> None:
    assert [epoch.number for epoch in trained.epochs] == list(range(1, len(trained.epochs) + 1))
    assert math.isnan(trained.epochs[-1].validation_loss)
    assert all(epoch.rows > 0 and epoch.seconds > 0 for epoch in trained.epochs)


def test_training_stops_when_validation_stops_improving(shop: Shop) -> None:
    """A step size of zero never improves: after the first pass only `patience` more are made."""
    model = new_model(shop)
    model.config = model.config.model_copy(update={"learning_rate": 1e-12, "patience": 1, "finish_epochs": 0})
    scales = start_losses(model, shop.entities, shop.train)
    weights = dict.fromkeys(TASKS, 0.0)
    epochs = list(fit(model, shop.entities, shop.train, shop.validation, scales=scales, weights=weights, epochs=20))
    assert len(epochs) == 3


def test_a_task_without_weight_is_not_learned(shop: Shop) -> None:
    model = new_model(shop)
    scales = start_losses(model, shop.entities, shop.train)
    before = model.head("promotion").residual.residual.bias.detach().clone()
    weights = dict.fromkeys(TASKS, 1.0) | {"promotion": 0.0}
    list(fit(model, shop.entities, shop.train, shop.validation, scales=scales, weights=weights, epochs=1))
    assert torch.equal(before, model.head("promotion").residual.residual.bias)


def test_cosines_are_symmetric_and_bounded(trained: Trained) -> None:
    means = trained.cosines.means()
    assert len(means) == len(TASKS) * (len(TASKS) - 1)
    for (task, other), cosine in means.items():
        assert cosine == pytest.approx(means[other, task], abs=1e-5)
        assert abs(cosine) <= 1 + 1e-5
    assert means["pricing", "supply"] > 0.2, "two heads on one curve pull together"
