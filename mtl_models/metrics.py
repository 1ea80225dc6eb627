"""Measures, vectorised; each takes observed values first. NaN where a measure is not defined."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]


def ranks(values: Values) -> Values:
    """Ranks from 1; equal values share the mean of theirs."""
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    return (last - (counts - 1) / 2)[inverse]


def auc(observed: Values, score: Values) -> float:
    """Area under the ROC curve: the chance that a positive outranks a negative."""
    positives = observed.sum()
    negatives = len(observed) - positives
    if not positives or not negatives:
        return float("nan")
    rank_sum = ranks(score)[observed == 1].sum()
    return float((rank_sum - positives * (positives + 1) / 2) / (positives * negatives))


def grouped_auc(observed: Values, score: Values, groups: NDArray[np.int64]) -> float:
    """Mean of the AUC within each group, weighted by the group's positives."""
    areas, positives = [], []
    for group in np.unique(groups):
        inside = groups == group
        area = auc(observed[inside], score[inside])
        if not np.isnan(area):
            areas.append(area)
            positives.append(observed[inside].sum())
    return float(np.average(areas, weights=positives)) if areas else float("nan")


def average_precision(observed: Values, score: Values) -> float:
    """Area under the precision-recall curve, as the step-wise sum; ties are one step."""
    order = np.argsort(-score, kind="stable")
    hits, last_of_tie = observed[order], np.r_[np.flatnonzero(np.diff(score[order])), len(score) - 1]
    found = np.cumsum(hits)[last_of_tie]
    precision, recall = found / (last_of_tie + 1), found / max(hits.sum(), 1e-9)
    return float(np.sum(np.diff(np.r_[0.0, recall]) * precision))


def brier(observed: Values, probability: Values) -> float:
    """Mean squared distance of probability from what happened."""
    return float(np.mean((np.clip(probability, 0, 1) - observed) ** 2))


def calibration_error(observed: Values, probability: Values, bins: int = 10) -> float:
    """Mean distance of the predicted from the observed share, over bins of equal size by prediction."""
    order = np.argsort(probability, kind="stable")
    gaps = [abs(probability[rows].sum() - observed[rows].sum()) for rows in np.array_split(order, bins)]
    return float(sum(gaps) / len(observed))


def cross_entropy(observed: Values, probability: Values) -> float:
    """Mean log loss of what happened, kept a thousandth away from certainty."""
    sure = np.clip(probability, 1e-3, 1 - 1e-3)
    return float(-np.mean(observed * np.log(sure) + (1 - observed) * np.log(1 - sure)))


def mean_absolute_error(observed: Values, predicted: Values) -> float:
    """Mean absolute error, in the unit of the values."""
    return float(np.abs(observed - predicted).mean())


def rmse_log1p(observed: Values, predicted: Values) -> float:
    """Root mean squared error of log(1 + value)."""
    return float(np.sqrt(np.mean((np.log1p(observed) - np.log1p(np.clip(predicted, 0, None))) ** 2)))


def spearman(observed: Values, predicted: Values) -> float:
    """Correlation of the ranks; not defined when all values of a side are equal."""
    if np.ptp(observed) == 0 or np.ptp(predicted) == 0:
        return float("nan")
    return float(np.corrcoef(ranks(observed), ranks(predicted))[0, 1])


def bias_percent(observed: Values, predicted: Values) -> float:
    """How far the total is off, in percent of what was observed."""
    return float(100 * (predicted.sum() / observed.sum() - 1))


def decile_gini(observed: Values, predicted: Values) -> float:
    """How well ten groups by prediction separate the money, as a share of what perfect knowledge separates."""
    best = _gini(observed, _best_first(observed))
    return _gini(observed, _best_first(predicted)) / best if best else float("nan")


def decile_mape(observed: Values, predicted: Values) -> float:
    """Mean absolute percentage error of the mean in each of ten groups by prediction."""
    groups = [group for group in np.array_split(_best_first(predicted), 10) if observed[group].mean() > 0]
    errors = [abs(predicted[group].mean() - observed[group].mean()) / observed[group].mean() for group in groups]
    return float(np.mean(errors)) if errors else float("nan")


def share_cross_entropy(observed: Values, predicted: Values) -> float:
    """Mean cross-entropy of predicted shares [n, k] against observed shares [n, k]."""
    return float(-(observed * np.log(_shares(predicted))).sum(axis=1).mean())


def share_kl(observed: Values, predicted: Values) -> float:
    """Mean Kullback-Leibler divergence of the predicted shares from the observed ones."""
    entropy = -np.where(observed > 0, observed * np.log(np.clip(observed, 1e-12, 1)), 0).sum(axis=1).mean()
    return share_cross_entropy(observed, predicted) - float(entropy)


def share_ndcg(observed: Values, predicted: Values, length: int = 5) -> float:
    """NDCG of the `length` largest predicted shares, the observed share being the gain."""
    discount = 1 / np.log2(np.arange(2, length + 2))
    top = np.argsort(-_shares(predicted), axis=1, kind="stable")[:, :length]
    discount = discount[: top.shape[1]]
    gain = (np.take_along_axis(observed, top, axis=1) * discount).sum(axis=1)
    best = (-np.sort(-observed, axis=1)[:, :length] * discount).sum(axis=1)
    return float((gain / np.maximum(best, 1e-12)).mean())


def share_l1(observed: Values, predicted: Values) -> float:
    """Mean sum of absolute differences of shares."""
    return float(np.abs(observed - _shares(predicted)).sum(axis=1).mean())


def wape(observed: Values, predicted: Values) -> float:
    """Absolute error as a share of the total observed."""
    return float(np.abs(observed - predicted).sum() / np.abs(observed).sum())


def poisson_deviance(observed: Values, predicted: Values) -> float:
    """Mean deviance of counts."""
    mean = np.clip(predicted, 1e-3, None)
    logs = np.where(observed > 0, observed * np.log(np.where(observed > 0, observed, 1) / mean), 0)
    return float(np.mean(2 * (logs - (observed - mean))))


def gamma_deviance(observed: Values, predicted: Values) -> float:
    """Mean deviance of positive amounts; 0.1 is the least."""
    log_ratio = np.log(np.maximum(observed, 0.1) / np.maximum(predicted, 0.1))
    return float(np.mean(2 * (np.exp(log_ratio) - 1 - log_ratio)))


def quantile_loss(observed: Values, quantile: Values, level: float) -> float:
    """Weighted quantile loss: twice the pinball loss as a share of the total observed."""
    gap = observed - np.clip(quantile, 0, None)
    return float(2 * np.maximum(level * gap, (level - 1) * gap).sum() / observed.sum())


def coverage(observed: Values, quantile: Values) -> float:
    """Share of rows at or below the quantile."""
    return float((observed <= quantile).mean())


def count_coverage(observed: Values, quantile: Values) -> float:
    """Share of whole-numbered counts at or below the quantile, each count spread evenly over one unit."""
    return float(np.clip(quantile - observed + 0.5, 0, 1).mean())


def _shares(predicted: Values) -> Values:
    clipped = np.clip(predicted, 1e-6, None)
    return clipped / clipped.sum(axis=1, keepdims=True)


def _best_first(values: Values) -> NDArray[np.int64]:
    """Order from large to small; ties in a fixed random order, so that none profits from the order of the rows."""
    return np.lexsort((np.random.default_rng(0).random(len(values)), -values))


def _gini(observed: Values, order: NDArray[np.int64]) -> float:
    groups = np.array_split(observed[order], 10)
    money = np.r_[0, np.cumsum([group.sum() for group in groups]) / observed.sum()]
    people = np.r_[0, np.cumsum([len(group) for group in groups]) / len(observed)]
    return float(((money[1:] + money[:-1]) / 2 * np.diff(people)).sum() - 0.5)
