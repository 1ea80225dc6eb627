"""What each head is measured by, beside the plain predictor that a user would have without us.

Measures and baselines are those of the reference protocol, so that the two tables can be laid side by side. A
gate is the measure that decides the release: the one that costs money when it is lost.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from mtl_models import metrics
from mtl_models.censoring import LEAST_AVAILABLE_RATIO
from mtl_models.heads.quality import QUALITY_BOUNDS
from mtl_models.metrics import Values
from mtl_models.ranking_metrics import score_lists
from mtl_models.score import Columns, Prediction, Score, of_column

# Below this share of a week in stock, sales were cut noticeably.
SCARCE_RATIO = 0.9


def score_profile(targets: Columns, baselines: Columns, predicted: Columns) -> list[Score]:
    """Spend is gated by the error of its median and the separation of its deciles; orders by who will come."""
    spend = targets["spend_28d"]
    rates = {"last 84 days / 3": baselines["spend_28d"], "last 28 days": baselines["spend_last_28d"]}
    mean = Prediction("spend_28d", spend, predicted["expected_revenue_28d"], rates)
    median = Prediction("spend_28d", spend, predicted["expected_revenue_28d_p50"], rates)
    scores = [
        median.score("mae", metrics.mean_absolute_error, is_gate=True),
        mean.score("mae_of_mean", metrics.mean_absolute_error),
        median.score("rmse_log1p", metrics.rmse_log1p),
        mean.score("spearman", metrics.spearman, better="higher"),
        mean.score("decile_gini", metrics.decile_gini, better="higher"),
        mean.score("decile_mape", metrics.decile_mape),
        mean.score("bias_percent", metrics.bias_percent, better=None),
    ]
    for days, is_gate in ((28, True), (7, False)):
        orders = Prediction(
            f"buys_{days}d",
            targets[f"buys_{days}d"],
            predicted[f"order_probability_{days}d"],
            {"84-day rate": baselines[f"buys_{days}d"]},
        )
        scores.append(orders.score("auc", metrics.auc, better="higher", is_gate=is_gate))
        if days == 28:
            scores.append(orders.score("pr_auc_of_non_buyers", _non_buyers, better="higher"))
        scores.append(orders.score("brier", metrics.brier))
    spent = ~np.isnan(targets["category_shares"]).any(axis=1)
    shares = Prediction(
        "category_shares",
        targets["category_shares"][spent],
        predicted["category_shares"][spent],
        {"own history": np.nan_to_num(baselines["category_shares"])[spent]},
    )
    scores += [
        shares.score("cross_entropy", metrics.share_cross_entropy),
        shares.score("kl", metrics.share_kl),
        shares.score("ndcg_5", metrics.share_ndcg, better="higher"),
        shares.score("l1", metrics.share_l1),
    ]
    return scores


@dataclass(frozen=True)
class Lists:
    """Candidates [n] of all users' lists. `relevant` and `relevant_new` count, per list, what was bought; `catalogue`
    is the number of products sold before the cut-off."""

    lists: NDArray[np.int64]
    products: NDArray[np.int64]
    is_bought: NDArray[np.bool_]
    is_new: NDArray[np.bool_]
    relevant: NDArray[np.int64]
    relevant_new: NDArray[np.int64]
    catalogue: int


def score_recommendation(lists: Lists, score: Values, popularity: Values) -> list[Score]:
    """Gated by the order of the whole list and by that of products new to the user: one ranker serves both."""
    scores, catalogue = [], max(lists.catalogue, 1)
    kinds = (("all", np.ones(len(score), bool), lists.relevant), ("new", lists.is_new, lists.relevant_new))
    for task, inside, relevant in kinds:
        ours, plain = (
            score_lists(lists.lists[inside], order[inside], lists.is_bought[inside], lists.products[inside], relevant)
            for order in (score, popularity)
        )
        measures = {
            "ndcg_20": (ours.ndcg, plain.ndcg),
            "recall_20": (ours.recall, plain.recall),
            "map_20": (ours.mean_average_precision, plain.mean_average_precision),
            "hit_rate_20": (ours.hit_rate, plain.hit_rate),
            "coverage": (ours.shown_products / catalogue, plain.shown_products / catalogue),
        }
        scores += [
            Score(task, metric, value, baseline, "popularity, 7-day decay", True, metric == "ndcg_20", ours.lists)
            for metric, (value, baseline) in measures.items()
        ]
    return scores


def score_quality(targets: Columns, baselines: Columns, predicted: Columns) -> list[Score]:
    """Ratings ahead against the smoothed past ones. Gated by the rating, which tells more than its class."""
    seen = ~np.isnan(targets["rating"])
    observed, ours = targets["rating"][seen], predicted["expected_rating"][seen]
    ratings = Prediction("rating", observed, ours, {"smoothed past rating": baselines["rating"][seen]})

    def class_error(observed: Values, predicted: Values) -> float:
        return float(np.abs(np.digitize(observed, QUALITY_BOUNDS) - np.digitize(predicted, QUALITY_BOUNDS)).mean())

    return [
        ratings.score("mae", metrics.mean_absolute_error, is_gate=True),
        ratings.score("spearman", metrics.spearman, better="higher"),
        ratings.score("class_error", class_error),
    ]


def score_pricing(targets: Columns, baselines: Columns, inputs: Columns, predicted: Columns) -> list[Score]:
    """Units at the price that was charged; gated by weeks with an observed price, for a carried price gives away
    that nothing was sold."""
    demand = _demand(targets)
    measured = (inputs["is_price_test"] > 0) & ~np.isnan(demand)
    seen = measured & (inputs["is_price_seen"] > 0)
    promoted = measured & (1 - inputs["price"] / inputs["list_price"] >= 0.1)

    def over(rows: NDArray[np.bool_]) -> Prediction:
        plain = {"mean of 4 weeks": baselines["units"][rows]}
        return Prediction("price_response", demand[rows], predicted["units"][rows], plain)

    scores = [
        over(measured).score("wape", metrics.wape),
        over(measured).score("poisson_deviance", metrics.poisson_deviance),
        over(measured).score("bias_percent", metrics.bias_percent, better=None),
        over(seen).score("wape_seen", metrics.wape, is_gate=True),
        over(seen).score("poisson_deviance_seen", metrics.poisson_deviance, is_gate=True),
    ]
    if promoted.any():
        scores.append(over(promoted).score("wape_promoted", metrics.wape))
        scores.append(over(promoted).score("bias_percent_promoted", metrics.bias_percent, better=None))
    return scores


def score_supply(targets: Columns, baselines: Columns, inputs: Columns, predicted: Columns) -> list[Score]:
    """Gated by the quantile loss: stock is ordered from quantiles. `wape_scarce`: of weeks partly out of stock, beside
    a mean of sales that takes them for demand."""
    demand = _demand(targets)
    measured = (inputs["is_supply_test"] > 0) & ~np.isnan(demand)
    names = {"p10": 0.1, "p50": 0.5, "p90": 0.9, "p95": 0.95}
    # [n, 4] quantiles; the mean quantile loss weighs the levels alike.
    ours = np.stack([predicted[f"demand_units_{name}"][measured] for name in names], axis=1)
    plain = np.stack([baselines[f"units_13w_{name}"][measured] for name in names], axis=1)
    quantiles = Prediction("demand", demand[measured], ours, {"empirical quantiles of 13 weeks": plain})

    def mean_loss(observed: Values, predicted: Values) -> float:
        levels = names.values()
        return float(np.mean([metrics.quantile_loss(observed, predicted[:, i], p) for i, p in enumerate(levels)]))

    scores = [quantiles.score("wql_mean", mean_loss, is_gate=True)]
    for i, (name, level) in enumerate(names.items()):
        loss = partial(metrics.quantile_loss, level=level)
        scores.append(quantiles.score(f"wql_{name}", of_column(loss, i)))
    scores.append(quantiles.score("wape_of_median", of_column(metrics.wape, 1)))
    for i, name in enumerate(names):
        scores.append(quantiles.score(f"coverage_{name}", of_column(metrics.coverage, i), better=None))
    scarce = measured & (targets["available_ratio"] < SCARCE_RATIO)
    if scarce.any():
        sales = {"mean sales of 4 weeks": baselines["units_sold"][scarce]}
        weeks = Prediction("demand", demand[scarce], predicted["demand_units_mean"][scarce], sales)
        scores.append(weeks.score("wape_scarce", metrics.wape))
    return scores


def score_lead_times(late_days: Values, p90: Values, plain_p90: Values) -> list[Score]:
    """Whether nine of ten lines came by the day that was named, a day's share spread evenly over the day; beside the
    quantile of each supplier's own lines."""
    receipts = Prediction("lead_time", late_days, p90, {"own lines of the supplier": plain_p90})
    return [receipts.score("coverage_p90", metrics.count_coverage, better=None)]


def score_promotion(
    observed: Values, probability: Values, baseline: Values, campaigns: NDArray[np.int64]
) -> list[Score]:
    """Gated by who redeems rather than how many: offers are chosen by order. Of those who were offered a campaign."""
    offered = ~np.isnan(observed)
    plain = {"past redemption rate": baseline[offered]}
    redeemed = Prediction("redemption", observed[offered], probability[offered], plain)
    return [
        redeemed.score("auc", metrics.auc, better="higher", is_gate=True),
        redeemed.score("auc_within_campaign", partial(metrics.grouped_auc, groups=campaigns[offered]), better="higher"),
        redeemed.score("pr_auc", metrics.average_precision, better="higher"),
        redeemed.score("brier", metrics.brier),
    ]


def score_uplift(targets: Columns, baselines: Columns, inputs: Columns, predicted: Columns) -> list[Score]:
    """What an offer adds, told from those who were offered a campaign and comparable others. Gated by the average
    effect, beside an offer that adds nothing; `effect_of_better_half`: of the users who were expected to be moved most,
    beside all users. `cross_entropy` is of the outcomes seen."""
    seen = ~np.isnan(targets["ordered"])
    ordered, offered, uplift = targets["ordered"][seen], inputs["is_offered"][seen] > 0, predicted["uplift"][seen]
    without = predicted["order_probability"][seen]
    effect = _effect(ordered, offered)
    better = uplift >= np.median(uplift)
    of_better = _effect(ordered[better], offered[better])
    outcomes = Prediction("ordered", ordered, without + offered * uplift, {"84-day rate": baselines["ordered"][seen]})
    error, count = float(abs(uplift.mean() - effect)), len(ordered)
    return [
        Score("uplift", "average_effect_error", error, abs(effect), "no effect", False, True, count),
        Score("uplift", "effect_of_better_half", of_better, effect, "all users", True, False, count),
        outcomes.score("cross_entropy", metrics.cross_entropy),
        outcomes.score("auc", metrics.auc, better="higher"),
    ]


def _effect(ordered: Values, offered: NDArray[np.bool_]) -> float:
    """Share of those with the offer who ordered, less that of those without."""
    with_offer, without = ordered[offered], ordered[~offered]
    return float(with_offer.mean() - without.mean()) if len(with_offer) and len(without) else float("nan")


def _demand(targets: Columns) -> Values:
    """[n] units that a week with stock all the time would have sold; NaN where that is not known."""
    ratio = targets["available_ratio"]
    return np.where(ratio >= LEAST_AVAILABLE_RATIO, targets["units"] / np.maximum(ratio, 1e-9), np.nan)


def _non_buyers(observed: Values, probability: Values) -> float:
    return metrics.average_precision(1 - observed, -probability)
