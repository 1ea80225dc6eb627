"""Measures against values worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from mtl_models import metrics
from mtl_models.ranking_metrics import score_lists


def array(*values: float) -> np.ndarray:
    return np.array(values, float)


@pytest.mark.parametrize(
    ("observed", "score", "expected"),
    [
        (array(0, 0, 1, 1), array(1, 2, 3, 4), 1.0),
        (array(0, 0, 1, 1), array(1, 3, 2, 4), 0.75),
        (array(0, 1), array(5, 5), 0.5),  # a tie is half a win
        (array(1, 1, 0), array(1, 2, 3), 0.0),
    ],
)
def test_auc(observed: np.ndarray, score: np.ndarray, expected: float) -> None:
    assert metrics.auc(observed, score) == expected


def test_auc_without_both_classes_is_not_defined() -> None:
    assert np.isnan(metrics.auc(array(1, 1), array(1, 2)))


def test_grouped_auc_weighs_by_positives_and_skips_groups_without() -> None:
    observed, score = array(0, 1, 0, 1, 1, 0), array(1, 2, 3, 2, 1, 9)
    groups = np.array([0, 0, 1, 1, 1, 2])
    assert metrics.grouped_auc(observed, score, groups) == pytest.approx((1 * 1.0 + 2 * 0.0) / 3)


def test_average_precision() -> None:
    # Best first: hit, miss, hit -> 1/2 * 1 + 1/2 * 2/3
    assert metrics.average_precision(array(1, 0, 1), array(3, 2, 1)) == pytest.approx(1 / 2 + 1 / 3)
    # All tied: one step at the base rate.
    assert metrics.average_precision(array(1, 0, 0, 1), array(1, 1, 1, 1)) == pytest.approx(0.5)


def test_ranks_share_ties() -> None:
    assert metrics.ranks(array(10, 20, 20, 5)).tolist() == [2.0, 3.5, 3.5, 1.0]


def test_errors_of_amounts() -> None:
    observed, predicted = array(0, 10, 20), array(1, 8, 21)
    assert metrics.mean_absolute_error(observed, predicted) == pytest.approx(4 / 3)
    assert metrics.wape(observed, predicted) == pytest.approx(4 / 30)
    assert metrics.bias_percent(observed, predicted) == pytest.approx(0.0)
    assert metrics.rmse_log1p(array(0), array(np.e - 1)) == pytest.approx(1.0)
    assert metrics.spearman(observed, predicted) == pytest.approx(1.0)
    assert metrics.poisson_deviance(array(2), array(1)) == pytest.approx(2 * (2 * np.log(2) - 1))


def test_quantile_loss_and_coverage() -> None:
    observed = array(1, 3)
    # Pinball at 0.9 of quantile 2: 0.1 * 1 above, 0.9 * 1 below; twice the sum over the total.
    assert metrics.quantile_loss(observed, array(2, 2), 0.9) == pytest.approx(2 * (0.1 + 0.9) / 4)
    assert metrics.coverage(observed, array(2, 2)) == 0.5


def test_deciles_of_a_perfect_order() -> None:
    observed = np.arange(1, 101, dtype=float)
    assert metrics.decile_gini(observed, observed * 3) == pytest.approx(1.0)
    assert metrics.decile_gini(observed, -observed) == pytest.approx(-1.0)
    assert metrics.decile_mape(observed, observed * 1.1) == pytest.approx(0.1)


def test_shares() -> None:
    observed, predicted = np.array([[1.0, 0.0]]), np.array([[0.5, 0.5]])
    assert metrics.share_cross_entropy(observed, predicted) == pytest.approx(np.log(2))
    assert metrics.share_kl(observed, predicted) == pytest.approx(np.log(2))
    assert metrics.share_l1(observed, predicted) == pytest.approx(1.0)
    assert metrics.share_ndcg(observed, np.array([[0.1, 0.9]])) == pytest.approx(1 / np.log2(3))


def test_ranked_lists() -> None:
    """List 0 hits at 1 and 3 of 3 bought; in list 1 nothing was bought; what list 2 bought was no candidate."""
    scores = score_lists(
        lists=np.array([0, 0, 0, 1, 2]),
        scores=np.array([0.9, 0.8, 0.7, 0.5, 0.5]),
        is_relevant=np.array([True, False, True, False, False]),
        products=np.array([7, 8, 9, 7, 6]),
        relevant=np.array([3, 0, 1]),
    )
    ideal = 1 + 1 / np.log2(3) + 1 / np.log2(4)
    assert scores.lists == 2
    assert scores.ndcg == pytest.approx((1 + 1 / np.log2(4)) / ideal / 2)
    assert scores.recall == pytest.approx(2 / 3 / 2)
    assert scores.mean_average_precision == pytest.approx((1 + 2 / 3) / 3 / 2)
    assert scores.hit_rate == 0.5
    assert scores.shown_products == 4


def test_only_the_first_twenty_count() -> None:
    scores = score_lists(
        lists=np.zeros(21, np.int64),
        scores=-np.arange(21.0),
        is_relevant=np.arange(21) == 20,
        products=np.arange(21),
        relevant=np.array([1]),
    )
    assert scores.recall == 0 and scores.shown_products == 20


def test_the_order_of_candidates_does_not_matter() -> None:
    generator = np.random.default_rng(0)
    lists, scores = generator.integers(0, 5, 200), generator.random(200)
    relevant, products = generator.random(200) < 0.1, generator.integers(0, 50, 200)
    counts = np.bincount(lists, relevant, 5).astype(np.int64)
    order = generator.permutation(200)
    assert score_lists(lists, scores, relevant, products, counts) == score_lists(
        lists[order], scores[order], relevant[order], products[order], counts
    )


def test_calibration_error_is_the_mean_gap_of_the_bins() -> None:
    observed, probability = array(0, 0, 0, 1, 1, 1), array(0.1, 0.1, 0.1, 0.4, 0.8, 0.9)
    assert metrics.calibration_error(observed, probability, bins=2) == pytest.approx((0.3 + 0.9) / 6)
