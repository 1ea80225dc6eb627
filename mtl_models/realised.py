"""What published predictions were worth, once the truth is known: the gates' measures, and money.

Every function takes columns of one night, observed and foretold, and returns measures beside the naive baseline on the
same rows. Where a gate measures the same, the names are the gate's (`mtl_models/scorecard.py`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from mtl_models import metrics
from mtl_models.censoring import LEAST_AVAILABLE_RATIO
from mtl_models.metrics import Values
from mtl_models.normal import Z_90
from mtl_models.score import Columns, Prediction, Score, of_column
from mtl_models.scorecard_service import poisson_quantile

LEVELS = {"p10": 0.1, "p50": 0.5, "p90": 0.9, "p95": 0.95}
RATE = "84-day rate"
# The published lists in the order of their numbers, by the names that gates give what they measure.
LISTS = ("all", "new", "bought_before")


@dataclass(frozen=True)
class Realised:
    """A score of what was published, and what the published rows themselves had said it would be: `promise` is
    published (their sum or mean), design (what a quantile covers), or None, where a gate may have measured it."""

    score: Score
    unit: str
    promised_value: float | None = None
    promise: str | None = None


Measure = Callable[[Columns], list[Realised]]


def profile_28d(columns: Columns) -> list[Realised]:
    """Spend, orders and contacts of users in the window."""
    spend, plain = columns["spend"], {"last 84 days / 3": columns["base_spend_28d"]}
    mean = Prediction("spend_28d", spend, columns["expected_revenue_28d"], plain)
    median = Prediction("spend_28d", spend, columns["expected_revenue_28d_p50"], plain)
    return [
        Realised(median.score("mae", metrics.mean_absolute_error), "money"),
        Realised(mean.score("decile_gini", metrics.decile_gini, better="higher"), "score"),
        Realised(mean.score("bias_percent", metrics.bias_percent, better=None), "percent"),
        total(mean, "revenue", "money"),
        # Most of the lower quantiles are 0, as are most of the users' spends: they cover more by construction.
        _coverage("spend_28d", "p90", spend, columns["expected_revenue_28d_p90"], promised=LEVELS["p90"]),
        *_orders("buys_28d", columns),
        *probability("contacts_28d", columns["has_contacted"], columns["contact_probability_28d"], None),
    ]


def profile_7d(columns: Columns) -> list[Realised]:
    """Orders of users within a week."""
    return _orders("buys_7d", columns)


def profile_90d(columns: Columns) -> list[Realised]:
    """Users who did not order for 90 days; naive is the chance of that at their rate of orders."""
    stays_away = (1 - np.clip(columns["base_buys_28d"], 0, 1)) ** (90 / 28)
    return probability("churns_90d", 1 - columns["has_ordered"], columns["churn_probability_90d"], stays_away, RATE)


def lists(columns: Columns) -> list[Realised]:
    """The published lists: how much of what was bought they held, and the money that it brought. Lists of users who
    bought nothing that the list could hold count for money only."""
    found = []
    for number, task in enumerate(LISTS, 1):
        rows = columns["list_number"] == number
        bought = rows & (columns["relevant"] > 0)
        if not bought.any():
            continue
        for metric, of in (("ndcg_20", "ndcg"), ("recall_20", "recall")):
            ours, plain = (float(columns[name][bought].mean()) for name in (of, f"plain_{of}"))
            score = Score(task, metric, ours, plain, "popularity, 7-day decay", True, False, int(bought.sum()))
            found.append(Realised(score, "score"))
        coverage = float(columns["coverage"][rows].mean())
        found.append(Realised(Score(task, "coverage", coverage, np.nan, "", True, False, int(rows.sum())), "ratio"))
        for metric, unit in (("purchases", "count"), ("margin", "money"), ("revenue", "money")):
            expected = columns[f"expected_{metric}"][rows].sum() if metric != "revenue" else np.nan
            score = Score(task, metric, float(columns[metric][rows].sum()), np.nan, "", None, False, int(rows.sum()))
            found.append(_published(score, unit, expected))
    return found


def price_response(columns: Columns) -> list[Realised]:
    """Units of each product and week in which something sold, at the price that was charged."""
    demand = _demand(columns)
    seen = ~np.isnan(demand) & ~np.isnan(columns["price_charged"])
    if not seen.any():
        return []
    plain = {"mean of 4 weeks": columns["base_units"][seen]}
    response = Prediction("price_response", demand[seen], columns["units_at_price_charged"][seen], plain)
    return [
        Realised(response.score("wape_seen", metrics.wape), "ratio"),
        Realised(response.score("poisson_deviance_seen", metrics.poisson_deviance), "score"),
        Realised(response.score("bias_percent", metrics.bias_percent, better=None), "percent"),
        total(response, "units", "units"),
    ]


def prices(columns: Columns) -> list[Realised]:
    """Whether recommended changes were made, and margins: of all products beside as long a time before, of changed ones
    beside what was expected without the change."""
    change = columns["is_change"] > 0
    charged, known = change & (columns["is_charged"] > 0), ~np.isnan(columns["expected_margin"])
    found = []
    if (sold := change & (columns["is_sold"] > 0)).any():
        ratio = float(charged[sold].mean())
        found.append(Realised(Score("changes", "applied", ratio, np.nan, "", None, False, int(sold.sum())), "ratio"))
    for task, rows, baseline, name in (
        ("margin", known, "margin_before", "as many days before"),
        ("changes", known & charged, "expected_margin_now", "expected without the change"),
    ):
        if rows.any():
            margin, plain, expected = (columns[of][rows].sum() for of in ("margin", baseline, "expected_margin"))
            score = Score(task, "margin", margin, plain, name, None, False, int(rows.sum()))
            found.append(_published(score, "money", expected))
    return found


def demand(columns: Columns) -> list[Realised]:
    """The quantiles that orders rest on, of each product and week."""
    observed = _demand(columns)
    seen = ~np.isnan(observed)
    if not seen.any():
        return []
    ours, plain = (
        np.stack([columns[f"{of}_{name}"][seen] for name in LEVELS], axis=1)
        for of in ("demand_units", "base_units_13w")
    )
    quantiles = Prediction("demand", observed[seen], ours, {"empirical quantiles of 13 weeks": plain})
    recent = {"mean of 4 weeks": columns["base_units"][seen]}
    mean = Prediction("demand", observed[seen], columns["demand_units_mean"][seen], recent)

    def mean_loss(units: Values, predicted: Values) -> float:
        return float(np.mean([metrics.quantile_loss(units, predicted[:, i], p) for i, p in enumerate(LEVELS.values())]))

    return [
        Realised(quantiles.score("wql_mean", mean_loss), "ratio"),
        Realised(quantiles.score("wape_of_median", of_column(metrics.wape, 1)), "ratio"),
        Realised(mean.score("bias_percent", metrics.bias_percent, better=None), "percent"),
        total(mean, "units", "units"),
        *(_coverage("demand", name, observed[seen], quantile) for name, quantile in zip(LEVELS, ours.T, strict=True)),
    ]


def stock(columns: Columns) -> list[Realised]:
    """Which items ran out before an order of that night could come, whether they had been warned of, and the cost of
    what lay too much at the end."""
    out, warned = columns["has_run_out"], columns["is_warned"] > 0
    found = probability("stockout", out, columns["stockout_probability"], None)
    for metric, rows, of in (("warned", out > 0, warned), ("true_warnings", warned, out > 0)):
        if rows.any():
            score = Score("stockout", metric, float(of[rows].mean()), np.nan, "", True, False, int(rows.sum()))
            found.append(Realised(score, "ratio"))
    excess, before = columns["excess_cost"].sum(), columns["excess_cost_before"].sum()
    score = Score("stock", "excess_cost", excess, before, "that evening", False, False, len(out))
    return [*found, Realised(score, "money")]


def redemptions(columns: Columns) -> list[Realised]:
    """Who redeemed an offer, of those who got it."""
    predicted, plain = columns["redemption_probability"], columns["base_redeemed"]
    return probability("redemption", columns["has_redeemed"], predicted, plain, "past redemption rate")


def contacts(columns: Columns) -> list[Realised]:
    """Contacts of each day, channel and reason, and the hours that they took."""
    recent = columns["base_contacts"]
    daily = Prediction("contacts", columns["contacts"], columns["contacts_mean"], {"weekday mean of 8 weeks": recent})
    bounds = {"p10": -Z_90, "p50": 0.0, "p90": Z_90}
    coverages = []
    for name, z in bounds.items():
        poisson = {"Poisson around that mean": poisson_quantile(recent, z)}
        quantile = Prediction("contacts", columns["contacts"], columns[f"contacts_{name}"], poisson)
        score = quantile.score(f"coverage_{name}", metrics.count_coverage, better=None)
        coverages.append(Realised(score, "ratio"))
    hours = Score("workload", "hours", columns["hours"].sum(), np.nan, "", None, False, len(recent))
    return [
        Realised(daily.score("poisson_deviance", metrics.poisson_deviance), "score"),
        Realised(daily.score("wape", metrics.wape), "ratio"),
        Realised(daily.score("bias_percent", metrics.bias_percent, better=None), "percent"),
        total(daily, "contacts", "contacts"),
        _published(hours, "hours", columns["workload_hours"].sum()),
        *coverages,
    ]


def order_risks(columns: Columns) -> list[Realised]:
    """Orders that led to a contact, and those of which something came back."""
    return [
        *probability("contacted", columns["has_contacted"], columns["contact_probability"], columns["base_contacted"]),
        *probability("returned", columns["has_returned"], columns["return_probability"], None),
    ]


def tickets(columns: Columns) -> list[Realised]:
    """Minutes that solved tickets took, and promises that were missed."""
    plain = {"mean by reason": columns["base_handle_minutes"]}
    minutes = Prediction("handle_minutes", columns["handle_minutes"], columns["expected_handle_minutes"], plain)
    seen = ~np.isnan(columns["is_missed"])
    missed, chance, rate = (columns[name][seen] for name in ("is_missed", "sla_breach_probability", "base_missed"))
    return [
        Realised(minutes.score("gamma_deviance", metrics.gamma_deviance), "score"),
        Realised(minutes.score("mae", metrics.mean_absolute_error), "minutes"),
        total(minutes, "minutes", "minutes"),
        *(probability("missed_promise", missed, chance, rate, "rate by reason") if seen.any() else []),
    ]


def probability(
    task: str, observed: Values, predicted: Values, plain: Values | None, baseline: str = "past rate"
) -> list[Realised]:
    """How well chances order what happened and how near they come to it. Without a baseline's rows it is one rate for
    all: that of the window itself, which nobody knew."""
    known = ~np.isnan(predicted)
    if not known.any():
        return []
    if plain is None:
        plain, baseline = np.full(len(observed), observed[known].mean()), "average rate"
    chances = Prediction(task, observed[known], predicted[known], {baseline: plain[known]})
    came, usual = float(chances.observed.mean()), float(plain[known].mean())
    rate = Score(task, "rate", came, usual, baseline, None, False, len(chances.observed))
    return [
        Realised(chances.score("auc", metrics.auc, better="higher"), "score"),
        Realised(chances.score("brier", metrics.brier), "score"),
        Realised(chances.score("calibration_error", metrics.calibration_error), "ratio"),
        _published(rate, "ratio", float(chances.model.mean())),
    ]


def total(prediction: Prediction, metric: str, unit: str) -> Realised:
    """What came in sum, beside the sums that the published rows and the baseline's foretold."""
    (name, plain), *_ = prediction.baselines.items()
    count = len(prediction.observed)
    came, usual = float(prediction.observed.sum()), float(plain.sum())
    score = Score(prediction.task, metric, came, usual, name, None, False, count)
    return _published(score, unit, prediction.model.sum())


def bins(observed: Values, predicted: Values, count: int = 10) -> list[tuple[int, float, float, int]]:
    """Bins of equal size by prediction: number from 1, mean prediction, mean of what happened, rows."""
    known = ~np.isnan(predicted)
    order = np.argsort(predicted[known], kind="stable")
    groups = [rows for rows in np.array_split(order, count) if len(rows)]
    return [
        (number, float(predicted[known][rows].mean()), float(observed[known][rows].mean()), len(rows))
        for number, rows in enumerate(groups, 1)
    ]


def _orders(task: str, columns: Columns) -> list[Realised]:
    window = task.removeprefix("buys_")
    predicted, plain = columns[f"order_probability_{window}"], columns[f"base_{task}"]
    return probability(task, columns["has_ordered"], predicted, plain, RATE)


def _published(score: Score, unit: str, expected: float) -> Realised:
    return Realised(score, unit, float(expected), "published")


def _coverage(task: str, name: str, observed: Values, quantile: Values, promised: float | None = None) -> Realised:
    share = metrics.coverage(observed, quantile)
    score = Score(task, f"coverage_{name}", share, np.nan, "", None, False, len(observed))
    return Realised(score, "ratio", promised, "design" if promised else None)


def _demand(columns: Columns) -> Values:
    """[n] units that a week with stock all the time would have sold; NaN where that is not known."""
    ratio = columns["available_ratio"]
    return np.where(ratio >= LEAST_AVAILABLE_RATIO, columns["units"] / np.maximum(ratio, 1e-9), np.nan)
