"""Calibration keeps order, leaves alone what is right or rests on little, and finds what is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor

from mtl_models import checkpoint, metrics, warm_start
from mtl_models.calibrate import FEWEST_OUTCOMES, FEWEST_ROWS, Calibration, fit_line
from mtl_models.fit import calibrate
from mtl_models.predict import predict, predict_uncalibrated
from tests.mtl_models.test_model_files import saved
from tests.mtl_models.test_model_properties import assert_same, with_price
from tests.mtl_models.toy_shop import Trained, new_model

LEVELS = (0.1, 0.5, 0.9, 0.95)


def drawn(log_odds: Tensor, seed: int) -> Tensor:
    return (torch.rand(len(log_odds), generator=torch.Generator().manual_seed(seed)) < log_odds.sigmoid()).float()


def normal(rows: int, seed: int) -> Tensor:
    return torch.randn(rows, generator=torch.Generator().manual_seed(seed))


def learned(log_odds: Tensor, observed: Tensor) -> Calibration:
    calibration = Calibration(("buys",), ())
    calibration.learn_probability("buys", log_odds, observed)
    return calibration


def exponential_quantiles(scale: Tensor) -> Tensor:
    """[n, levels] of exponential amounts with that mean."""
    return -scale[:, None] * torch.log1p(-torch.tensor(LEVELS))


def amounts(rows: int, seed: int) -> tuple[Tensor, Tensor]:
    """Sizes from 20 to 1,000 and exponential amounts with these means."""
    generator = torch.Generator().manual_seed(seed)
    size = torch.exp(3 + torch.rand(rows, generator=generator) * 3.9)
    return size, -size * torch.log(torch.rand(rows, generator=generator))


@pytest.mark.parametrize(("said", "slope"), [(1.4, 1 / 1.4), (0.7, 1 / 0.7)])
def test_a_model_that_is_too_sure_or_not_sure_enough_is_found_out(said: float, slope: float) -> None:
    truth = 2 * normal(20_000, 0) - 1
    calibration = learned(said * truth, drawn(truth, 1))
    assert float(calibration.slopes[0]) == pytest.approx(slope, rel=0.1)
    fresh, observed = 2 * normal(20_000, 2) - 1, drawn(2 * normal(20_000, 2) - 1, 3)
    before, after = (said * fresh).sigmoid(), calibration.probability("buys", said * fresh)
    errors = [metrics.calibration_error(observed.double().numpy(), p.double().numpy()) for p in (before, after)]
    assert errors[1] < errors[0] / 2


def test_probabilities_that_are_right_stay() -> None:
    truth = normal(20_000, 0) - 1
    calibration = learned(truth, drawn(truth, 1))
    torch.testing.assert_close(calibration.probability("buys", truth), truth.sigmoid(), atol=0.02, rtol=0)


def test_the_order_and_the_level_stay_whatever_was_seen() -> None:
    """Even where outcomes contradict the model, and though the window had twice as many of them."""
    log_odds = normal(5_000, 0).sort().values
    calibration = learned(log_odds, drawn(0.7 - 3 * log_odds, 1))
    after = calibration.probability("buys", log_odds)
    assert (after.diff() >= 0).all() and after[-1] > after[0]
    assert float(after.mean()) == pytest.approx(float(log_odds.sigmoid().mean()), abs=1e-4)


def test_few_outcomes_are_believed_less() -> None:
    truth = normal(40_000, 0) - 1
    many, few = (learned(1.5 * truth[:rows], drawn(truth, 1)[:rows]) for rows in (40_000, 1_500))
    assert many.slopes[0] < few.slopes[0] < 1


@pytest.mark.parametrize("outcome", [0.0, 1.0])
def test_too_few_outcomes_change_nothing(outcome: float) -> None:
    log_odds = normal(2_000, 0)
    observed = torch.full((2_000,), 1 - outcome)
    observed[: FEWEST_OUTCOMES - 1] = outcome
    observed[-500:] = torch.nan
    calibration = learned(log_odds, observed)
    assert calibration.outcomes.tolist() == [0]
    assert torch.equal(calibration.probability("buys", log_odds), log_odds.sigmoid())


@pytest.mark.parametrize("wrong", [0.7, 1.0, 1.3])
def test_quantiles_cover_what_they_promise_on_new_rows(wrong: float) -> None:
    """Within four standard errors of both windows, in every size group."""
    size, seen = amounts(8_000, 0)
    calibration = Calibration((), LEVELS)
    calibration.learn_quantiles(wrong * exponential_quantiles(size), seen, size)
    size, fresh = amounts(8_000, 1)
    after = calibration.quantiles(wrong * exponential_quantiles(size), size)
    group = torch.bucketize(size, calibration.edges)
    assert group.unique().tolist() == [0, 1, 2, 3]
    for i, level in enumerate(LEVELS):
        error = 4 * (level * (1 - level) * 2 / 2_000) ** 0.5
        for g in range(4):
            covered = float((fresh <= after[:, i])[group == g].float().mean())
            assert covered == pytest.approx(level, abs=error) or level == 0.5


def test_counts_are_not_covered_too_often() -> None:
    """The exact quantile of a small count is a whole number that holds more than it should; spread evenly it is not."""
    mean = torch.full((20_000,), 2.5)
    counts = torch.poisson(mean, generator=torch.Generator().manual_seed(0))
    calibration, said = Calibration((), LEVELS), mean[:, None] * torch.tensor([0.3, 1.0, 1.4, 1.6])
    calibration.learn_quantiles(said, counts, mean)
    after = calibration.quantiles(said, mean)
    for i in (0, 2, 3):
        assert metrics.count_coverage(counts.numpy(), after[:, i].numpy()) == pytest.approx(LEVELS[i], abs=0.002)


def test_a_low_quantile_of_mostly_nothing_is_left_alone() -> None:
    """Where a quarter buys nothing, no amount has only one in ten below it."""
    observed = torch.cat([torch.zeros(300), torch.arange(700.0)])
    said = torch.tensor([5.0, 200.0, 500.0, 600.0]).expand(1_000, 4)
    calibration = Calibration((), LEVELS)
    calibration.learn_quantiles(said, observed, torch.ones(1_000))
    assert calibration.factors[0, 0] == 1 and calibration.factors[0, 2] > 1


def test_ordered_quantiles_stay_ordered() -> None:
    calibration, size = Calibration((), LEVELS), torch.ones(4)
    calibration.factors.copy_(torch.tensor([2.0, 1.0, 0.5, 0.6]).expand(4, 4))
    after = calibration.quantiles(torch.tensor([[0.0, 0.0, 0.0, 0.0], [1.0, 1.0, 1.0, 1.0], [1, 2, 3, 9]]), size[:3])
    assert (after.diff(dim=1) >= 0).all() and (after >= 0).all()
    assert after[:, 1].tolist() == [0, 1, 2]


def test_too_few_rows_change_no_quantile() -> None:
    size, seen = amounts(FEWEST_ROWS - 1, 0)
    calibration, said = Calibration((), LEVELS), 0.5 * exponential_quantiles(size)
    calibration.learn_quantiles(said, seen, size)
    assert int(calibration.rows) == 0
    assert torch.equal(calibration.quantiles(said, size), said)


@pytest.fixture
def calibrated(trained: Trained) -> Trained:
    """The trained model, with corrections that are easy to see."""
    model = new_model(trained.shop)
    model.load_state_dict(trained.model.state_dict())
    for task in model.tasks:
        calibration = model.head(task).calibration
        calibration.slopes.fill_(0.5)
        calibration.shifts.fill_(-0.3)
        calibration.factors.copy_(
            torch.tensor([0.8, 1.0, 1.5, 1.6])[: len(calibration.levels)].expand_as(calibration.factors)
        )
    return Trained(model, trained.shop, trained.scales, trained.epochs, trained.cosines)


def test_predictions_change_and_losses_do_not(trained: Trained, calibrated: Trained) -> None:
    rows, entities = trained.shop.validation, trained.shop.entities
    before, after = (predict(one.model, entities, rows) for one in (trained, calibrated))
    for task, name in (
        ("recommendation", "purchase_probability"),
        ("service_orders", "return_probability"),
        ("service_tickets", "missed_probability"),
        ("profile", "order_probability_28d"),
        ("supply", "demand_units_p95"),
    ):
        assert not torch.allclose(before[task][name], after[task][name]), name
    assert_same(predict_uncalibrated(calibrated.model, entities, rows)["profile"], before["profile"])
    losses = [one.model.losses(one.model(entities, rows), rows) for one in (trained, calibrated)]
    for task in trained.model.tasks:
        assert_same(losses[0][task], losses[1][task])


def test_calibrated_demand_still_falls_in_price(calibrated: Trained) -> None:
    demand = calibrated.shop.validation["demand"]
    cheap, dear = (
        predict(calibrated.model, calibrated.shop.entities, {"demand": with_price(demand, factor)})["supply"]
        for factor in (1.0, 1.1)
    )
    assert all((dear[f"demand_units_{name}"] <= cheap[f"demand_units_{name}"]).all() for name in ("p10", "p90", "p95"))


def test_calibration_travels_with_files_and_warm_starts(calibrated: Trained, tmp_path: Path) -> None:
    saved(calibrated, tmp_path)
    warm = new_model(calibrated.shop)
    warm_start.copy_weights(calibrated.model, warm)
    for model in (checkpoint.load(tmp_path)[0], warm):
        for task in model.tasks:
            assert_same(calibrated.model.head(task).calibration.state_dict(), model.head(task).calibration.state_dict())


def test_heads_learn_from_their_own_rows(trained: Trained) -> None:
    """The toy shop has enough pairs of user and product, but too few users and weeks."""
    model = new_model(trained.shop)
    model.load_state_dict(trained.model.state_dict())
    calibrate(model, trained.shop.entities, trained.shop.validation)
    pairs, profile, supply = (model.head(task).calibration for task in ("recommendation", "profile", "supply"))
    assert (pairs.outcomes >= FEWEST_OUTCOMES).all() and (pairs.slopes != 1).all()
    assert not profile.outcomes.any() and (profile.slopes == 1).all()
    assert supply.rows == 0 and (supply.factors == 1).all()


@pytest.mark.parametrize(("slope", "intercept"), [(0.4, -0.5), (1.0, 0.0), (1.4, 0.8)])
def test_a_line_through_log_odds_is_recovered(slope, intercept):
    log_odds = torch.linspace(-3, 3, 20_000)
    observed = (slope * log_odds + intercept).sigmoid()
    assert fit_line(log_odds, observed).tolist() == pytest.approx([slope, intercept], abs=0.01)
