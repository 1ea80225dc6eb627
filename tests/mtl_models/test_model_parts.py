"""The small parts: preprocessing, losses, batches, elasticities, plain predictors, scores."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import polars as pl
import pytest
import torch

from mtl_models import losses, metrics
from mtl_models.baselines import fit_logistic
from mtl_models.batching import joint_batches, micro_batch_sizes, shuffled, thin
from mtl_models.demand_curve import units_at
from mtl_models.heads.supply import LEVELS, Supply, quantiles_over_mean
from mtl_models.preprocess import CLIP, EntitySpec, Scaler, Vocabulary
from mtl_models.score import Prediction
from tests.mtl_models.toy_shop import Shop


def test_a_vocabulary_gives_zero_to_what_it_does_not_know() -> None:
    words = Vocabulary.fit(pl.Series(["b", "a", None, "b"]))
    assert words.words == ("a", "b") and len(words) == 3
    assert words.index(pl.Series(["b", "c", None, "a"])).tolist() == [2, 0, 0, 1]


def test_numbers_are_standardised_and_gaps_are_flagged() -> None:
    frame = pl.DataFrame({"x": [1.0, 3.0, None], "same": [5.0, 5.0, 5.0]})
    scaler = Scaler.fit(frame, ("x", "same"))
    assert scaler.width == 3
    assert scaler.transform(frame).tolist() == [[-1.0, 0.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]]


def test_skewed_numbers_go_through_a_log_and_outliers_are_clipped() -> None:
    money = pl.DataFrame({"money": [1.0] * 50 + [10.0] * 30 + [5000.0]})
    scaler = Scaler.fit(money, ("money",))
    assert scaler.is_log == (True,)
    most = pl.DataFrame({"x": [0.0] * 99 + [1e9]})
    assert Scaler.fit(most, ("x",)).transform(most).max() == CLIP


def test_scales_come_from_the_rows_given_only() -> None:
    scaler = Scaler.fit(pl.DataFrame({"x": [0.0, 2.0]}), ("x",))
    assert scaler.transform(pl.DataFrame({"x": [1.0, 1.5]})).tolist() == [[0.0], [0.5]]


def test_beyond_what_training_saw_a_number_is_read_as_its_edge() -> None:
    scaler = Scaler.fit(pl.DataFrame({"x": [0.0, 2.0], "nothing": [None, None]}), ("x", "nothing"))
    later = scaler.transform(pl.DataFrame({"x": [-3.0, 100.0, None], "nothing": [7.0, None, 0.0]}))
    assert later[:, 0].tolist() == [-1.0, 1.0, 0.0]
    assert later[:, 1].tolist() == [0.0, 0.0, 0.0]


def test_an_entity_is_read_by_the_type_of_its_columns() -> None:
    frame = pl.DataFrame({"user_id": ["u1", "u2"], "region": ["n", None], "orders": [1, 3], "is_new": [True, False]})
    spec = EntitySpec.fit(frame, "user_id")
    table = spec.transform(frame, "user_id")
    assert table.ids.tolist() == [1, 2]
    assert table.categories.tolist() == [[1], [0]]
    assert table.numbers.tolist() == [[-1.0, 1.0], [1.0, -1.0]]


def test_a_spec_survives_json_exactly() -> None:
    spec = EntitySpec.fit(pl.DataFrame({"user_id": ["u1", "u2", "u3"], "x": [0.1, 0.7, math.pi]}), "user_id")
    assert EntitySpec.model_validate_json(spec.model_dump_json()) == spec


@pytest.mark.parametrize(
    "deviance",
    [
        losses.poisson_deviance,
        losses.tweedie_deviance,
        lambda log_mean, count: losses.negative_binomial_deviance(log_mean, count, 0.1),
    ],
)
def test_a_deviance_is_zero_at_the_truth_and_positive_elsewhere(deviance) -> None:
    count = torch.tensor([1.0, 5.0, 40.0])
    torch.testing.assert_close(deviance(count.log(), count), torch.zeros(3), atol=1e-3, rtol=0)
    for shift in (-0.5, 0.5):
        assert (deviance(count.log() + shift, count) > 0).all()
    assert torch.isfinite(deviance(torch.tensor([0.0]), torch.tensor([0.0]))).all()


def test_pinball_is_least_at_the_quantile() -> None:
    sample = torch.linspace(0, 1, 1001)
    risks = [losses.pinball(torch.full_like(sample, q), sample, 0.9).mean() for q in (0.8, 0.9, 0.97)]
    assert risks[1] == min(risks)


def test_masked_mean_ignores_what_is_not_known() -> None:
    target = torch.tensor([1.0, torch.nan, 3.0])
    assert losses.masked_mean(torch.tensor([2.0, torch.inf, 4.0]), target) == 3.0
    assert losses.masked_mean(torch.tensor([2.0, 9.0, 4.0]), target, torch.tensor([3.0, 1.0, 1.0])) == 2.5
    assert losses.masked_mean(torch.ones(2), torch.full((2,), torch.nan)) == 0.0


def test_micro_batches_favour_small_tables_and_fill_the_batch() -> None:
    sizes = micro_batch_sizes({"large": 100_000, "small": 1_000, "tiny": 10}, 1000)
    assert sizes["tiny"] == 10
    assert 0.9 < (sizes["large"] + sizes["small"]) / 1000 < 1.1
    assert sizes["small"] / 1_000 > sizes["large"] / 100_000


def test_every_batch_has_rows_of_every_table(shop: Shop) -> None:
    batches = list(joint_batches(shop.train, 512, torch.Generator().manual_seed(0)))
    assert len(batches) == math.ceil(sum(len(rows) for rows in shop.train.values()) / 512)
    assert all(set(batch) == set(shop.train) and min(map(len, batch.values())) > 0 for batch in batches)


def test_lists_stay_together_when_shuffled() -> None:
    groups = torch.arange(10).repeat_interleave(4)
    order = shuffled(groups, torch.Generator().manual_seed(3))
    assert sorted(order.tolist()) == list(range(40))
    assert (groups[order].view(10, 4) == groups[order].view(10, 4)[:, :1]).all()
    assert order.tolist() != list(range(40))


def test_logistic_regression_recovers_its_coefficients() -> None:
    generator = torch.Generator().manual_seed(0)
    x = torch.cat([torch.randn(20_000, 2, generator=generator), torch.ones(20_000, 1)], dim=1)
    truth = torch.tensor([1.5, -0.5, -2.0])
    y = (torch.rand(20_000, generator=generator) < torch.sigmoid(x @ truth)).float()
    torch.testing.assert_close(fit_logistic(x, y, torch.ones(20_000)), truth, atol=0.1, rtol=0)
    y[:5] = torch.nan
    assert torch.isfinite(fit_logistic(x, y, torch.ones(20_000))).all()


def test_units_at_another_price() -> None:
    assert units_at(100.0, -2.0, 10.0, 5.0) == pytest.approx(400.0)
    assert units_at(np.array([100.0]), np.array([-1.0]), np.array([2.0]), np.array([2.0])).tolist() == [100.0]


@pytest.mark.parametrize(("mean", "spread"), [(3.0, 0.3), (20.0, 0.3), (20.0, 0.05), (300.0, 1.0)])
def test_quantiles_start_from_those_of_a_gamma_distribution(mean: float, spread: float) -> None:
    shape = 1 / (1 / mean + spread)
    torch.manual_seed(0)
    drawn = torch.distributions.Gamma(shape, shape / mean).sample((400_000,))
    expected = torch.quantile(drawn, torch.tensor(LEVELS)) / mean
    found = quantiles_over_mean(torch.tensor([mean]), torch.tensor(spread))[0]
    torch.testing.assert_close(found, expected, atol=0.03, rtol=0.02)


def test_the_spread_of_weeks_is_that_beyond_a_poissons_luck(shop: Shop) -> None:
    rows = shop.train["demand"]
    level = torch.full((len(rows),), 12.0)
    generator = torch.Generator().manual_seed(0)
    gamma = torch.distributions.Gamma(4.0, 4.0 / 12.0).sample((len(rows),))  # variance over mean squared: a quarter
    units = torch.poisson(gamma, generator=generator)
    head = Supply(8, 0)
    head.fit_baseline(
        replace(
            rows,
            baselines=rows.baselines | {"level": level},
            targets=rows.targets | {"units": units, "available_ratio": torch.ones(len(rows))},
        ),
        {},
    )
    assert float(head.spread) == pytest.approx(0.25, abs=0.06)


def test_a_score_is_held_against_the_best_plain_predictor() -> None:
    plain = {"poor": np.array([9.0, 9.0]), "better": np.array([2.0, 2.0])}
    prediction = Prediction("t", np.array([1.0, 2.0]), np.array([1.0, 1.0]), plain)
    score = prediction.score("mae", metrics.mean_absolute_error)
    assert (score.value, score.baseline_value, score.baseline) == (0.5, 0.5, "better")
    assert not score.beats_baseline, "a draw does not beat"
    assert prediction.score("bias", metrics.bias_percent, better=None).beats_baseline


def test_a_thinned_table_stands_for_the_whole(shop: Shop) -> None:
    rows = shop.train["recommendation"]
    thinned = thin(rows, "bought_28d", 0.25, torch.Generator().manual_seed(0))
    assert (thinned.targets["bought_28d"] > 0).sum() == (rows.targets["bought_28d"] > 0).sum()
    assert len(thinned) < 0.7 * len(rows)
    assert float(thinned.weights.sum()) == pytest.approx(len(rows), rel=0.1)
