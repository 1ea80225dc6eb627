"""What customer service is measured by: orders at risk, contacts by day, tickets."""

from __future__ import annotations

import numpy as np

from mtl_models import metrics
from mtl_models.heads.tickets import PRIORITIES
from mtl_models.metrics import Values
from mtl_models.normal import Z_90
from mtl_models.score import Columns, Prediction, Score, of_column


def score_order_risks(targets: Columns, _: Columns, predicted: Columns) -> list[Score]:
    """Against one rate for all, whose AUC is a half by definition."""
    scores = []
    for name, column in (("contacted", "contact_probability"), ("returned", "return_probability")):
        seen = ~np.isnan(targets[name])
        if not seen.any():
            continue
        observed = targets[name][seen]
        plain = {"average rate": np.full(len(observed), observed.mean())}
        risk = Prediction(name, observed, predicted[column][seen], plain)
        scores.append(risk.score("auc", metrics.auc, better="higher", is_gate=name == "contacted"))
        scores.append(risk.score("brier", metrics.brier))
    return scores


def poisson_quantile(mean: Values, z: float) -> Values:
    """[n] of Poisson counts of that mean, by the normal distribution: `z` is where it has the quantile."""
    return np.clip(mean + z * np.sqrt(mean), 0, None)


def score_daily_contacts(targets: Columns, baselines: Columns, predicted: Columns) -> list[Score]:
    """Against the weekday mean of the same channel and reason; quantiles against those of a Poisson count."""
    seen = ~np.isnan(targets["contacts"])
    recent = baselines["contacts"][seen]
    plain = {"weekday mean of 8 weeks": recent}
    contacts = Prediction("contacts", targets["contacts"][seen], predicted["contacts_mean"][seen], plain)
    names = {"p10": -Z_90, "p50": 0.0, "p90": Z_90}
    ours = np.stack([predicted[f"contacts_{name}"][seen] for name in names], axis=1)
    poisson = np.stack([poisson_quantile(recent, z) for z in names.values()], axis=1)
    quantiles = Prediction("contacts", targets["contacts"][seen], ours, {"Poisson around that mean": poisson})
    return [
        contacts.score("wape", metrics.wape),
        contacts.score("poisson_deviance", metrics.poisson_deviance, is_gate=True),
        contacts.score("bias_percent", metrics.bias_percent, better=None),
        *(
            quantiles.score(f"coverage_{name}", of_column(metrics.count_coverage, i), better=None)
            for i, name in enumerate(names)
        ),
    ]


def score_tickets(targets: Columns, baselines: Columns, predicted: Columns) -> list[Score]:
    """Against what is usual for the reason. Gated by the minutes: they decide what a queue takes."""
    scores = []
    seen = ~np.isnan(targets["handle_minutes"])
    minutes = Prediction(
        "handle_minutes",
        targets["handle_minutes"][seen],
        predicted["expected_handle_minutes"][seen],
        {"mean by reason": baselines["handle_minutes"][seen]},
    )
    scores.append(minutes.score("gamma_deviance", metrics.gamma_deviance, is_gate=True))
    scores.append(minutes.score("mae", metrics.mean_absolute_error))
    seen = ~np.isnan(targets["missed"])
    missed = Prediction(
        "missed_promise",
        targets["missed"][seen],
        predicted["missed_probability"][seen],
        {"rate by reason": baselines["missed"][seen]},
    )
    scores.append(missed.score("auc", metrics.auc, better="higher"))
    scores.append(missed.score("brier", metrics.brier))
    seen = ~np.isnan(targets["priority"])
    if seen.any():
        ours, plain = (
            np.stack([columns[f"priority_{name}"][seen] for name in PRIORITIES], axis=1)
            for columns in (predicted, baselines)
        )
        priority = Prediction("priority", targets["priority"][seen], ours, {"shares by reason": plain})
        scores.append(priority.score("accuracy", _accuracy, better="higher"))
    return scores


def _accuracy(observed: Values, shares: Values) -> float:
    return float((shares.argmax(axis=1) == observed).mean())
