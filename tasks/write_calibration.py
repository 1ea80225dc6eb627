"""How far probabilities and quantiles can be believed: bins by prediction, and what calibration changed."""

from __future__ import annotations

import duckdb
import polars as pl
import torch
from torch import Tensor

from mtl_models import metrics
from mtl_models.batching import some
from mtl_models.calibrate import FEWEST_OUTCOMES, FEWEST_ROWS, Calibration
from mtl_models.censoring import observed_demand
from mtl_models.heads import TASKS
from mtl_models.model import JointModel
from mtl_models.predict import predict, predict_uncalibrated
from mtl_models.relative_losses import MEASURED_ROWS
from mtl_models.samples import TaskSamples
from mtl_models.score import Measure
from tasks.night import Night
from tasks.serving import HEADS, Scored
from tasks.write_rows import replace_night

BINS = 10
# Task, label and predicted column of every probability that is measured.
PROBABILITIES = (
    ("profile", "buys_28d", "order_probability_28d"),
    ("profile", "buys_7d", "order_probability_7d"),
    ("profile", "discount_share_28d", "discount_sensitivity"),
    ("profile", "contacts_28d", "contact_probability_28d"),
    ("recommendation", "bought_28d", "purchase_probability"),
    ("promotion", "redeemed", "redemption_probability"),
    ("service_orders", "contacted", "contact_probability"),
    ("service_orders", "returned", "return_probability"),
    ("service_tickets", "missed", "missed_probability"),
)
Row = dict[str, object]


def write_calibration(con: duckdb.DuckDBPyConnection, night: Night, model: JointModel, scored: Scored) -> None:
    """Fill ops.calibration with bins of what is served, and ops.calibration_effects with the error of probabilities and
    the coverage of quantiles with and without calibration, on the same rows of the measured window."""
    bins = [
        _bins(scored.predictions[task][column], _outcomes(scored.rows[TASKS[task].table], label)).with_columns(
            head=pl.lit(_head_of(task)), task=pl.lit(label)
        )
        for task, label, column in PROBABILITIES
        if task in scored.predictions
    ]
    if bins:
        replace_night(con, "ops.calibration", pl.concat(bins).with_columns(run_id=pl.lit(night.run_id)), night.run_id)
    effects = pl.DataFrame(_effects(model, scored), infer_schema_length=None)
    if len(effects):
        replace_night(con, "ops.calibration_effects", effects.with_columns(run_id=pl.lit(night.run_id)), night.run_id)


def _effects(model: JointModel, scored: Scored) -> list[Row]:
    generator = torch.Generator().manual_seed(0)
    measured = [task for task in scored.predictions if TASKS[task].log_odds or TASKS[task].levels]
    tables = dict.fromkeys(TASKS[task].table for task in measured)
    rows = {table: some(scored.rows[table], MEASURED_ROWS, generator) for table in tables}
    plain, ours = (say(model, scored.entities, rows) for say in (predict_uncalibrated, predict))
    effects: list[Row] = []
    for task, label, column in PROBABILITIES:
        if task in measured and label in TASKS[task].log_odds:
            observed = _outcomes(rows[TASKS[task].table], label)
            errors = (_error(said[task][column], observed) for said in (plain, ours))
            learned = _learned_probability(model.head(task).calibration, label)
            effects.append(_effect(task, label, "calibration_error", 0.0, *errors) | learned)
    if "supply" in measured:
        demand, calibration = observed_demand(rows[TASKS["supply"].table])[0], model.head("supply").calibration
        for level in calibration.levels:
            name = f"p{level * 100:.0f}"
            said_units = (said["supply"][f"demand_units_{name}"] for said in (plain, ours))
            coverages = (_measured(metrics.count_coverage, demand, units) for units in said_units)
            effect = _effect("supply", "demand", f"coverage_{name}", level, *coverages)
            effects.append(effect | _learned_quantile(calibration, level))
    return effects


def _effect(task: str, label: str, measure: str, wanted: float, uncalibrated: float, calibrated: float) -> Row:
    named: Row = {"head": _head_of(task), "task": label, "measure": measure}
    return named | {"uncalibrated": uncalibrated, "calibrated": calibrated, "wanted": wanted}


def _learned_probability(calibration: Calibration, name: str) -> Row:
    """From how many outcomes, or why from none."""
    count = int(calibration.outcomes[calibration.log_odds.index(name)])
    why = f"fewer than {FEWEST_OUTCOMES} of the rarer outcome in the validation window"
    return {"learned_from": count, "reason": None if count else why}


def _learned_quantile(calibration: Calibration, level: float) -> Row:
    count = 0 if level == 0.5 else int(calibration.rows)
    why = "the median is left to training" if level == 0.5 else f"fewer than {FEWEST_ROWS} rows to validate on"
    return {"learned_from": count, "reason": None if count else why}


def _outcomes(rows: TaskSamples, label: str) -> Tensor:
    """[n] between 0 and 1: the label, or whether a count is above zero; NaN where not known."""
    return rows.targets[label].clamp(0.0, 1.0)


def _error(probability: Tensor, observed: Tensor) -> float:
    return _measured(metrics.calibration_error, observed, probability)


def _measured(measure: Measure, observed: Tensor, predicted: Tensor) -> float:
    """Over the rows whose value is known; NaN when none is."""
    values, seen = observed.cpu().double(), ~observed.cpu().isnan()
    return measure(values[seen].numpy(), predicted[seen].double().numpy()) if seen.any() else float("nan")


def _head_of(task: str) -> str:
    return next(head for head, tasks in HEADS.items() if task in tasks)


def _bins(predicted: Tensor, observed: Tensor) -> pl.DataFrame:
    """Bins of equal size by prediction."""
    rank = (pl.col("predicted").rank("ordinal") - 1) * BINS // pl.len() + 1
    return (
        pl.DataFrame({"predicted": predicted.numpy(), "observed": observed.cpu().numpy()})
        .filter(pl.col("observed").is_not_nan())
        .with_columns(bin=rank.cast(pl.Int64))
        .group_by("bin", maintain_order=True)
        .agg(
            predicted_mean=pl.col("predicted").cast(pl.Float64).mean(),
            observed_mean=pl.col("observed").cast(pl.Float64).mean(),
            sample_count=pl.len().cast(pl.Int64),
        )
    )
