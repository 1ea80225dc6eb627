"""Whether tonight still looks like what the model learned from: features, predictions, whole tables."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import duckdb
import numpy as np
import polars as pl
from numpy.typing import NDArray

from mtl_models import drift
from mtl_models.drift import Binned, Domain
from mtl_models.heads import TASKS
from mtl_models.samples import ABSENT
from tasks.night import MonitoringConfig, Night
from tasks.read_samples import Frames, read_frames, read_keys, sample_tables
from tasks.row_limits import OWNERS, one_in, sampled
from tasks.serving import ServingModel, load_serving
from tasks.write_rows import replace_night

# What is compared: the training window, the window that the gates were measured on, and tonight.
FOLDS = ("train", "test", "serve")
# Tables whose rows are many and come anew every night. Campaigns, queues and tickets are too few to have a
# distribution.
COMPARED = ("profile", "recommendation", "demand", "service_orders")
# Whose features are compared, as the rows of which table name them.
ENTITIES = {"user": "profile", "product": "demand"}
Row = dict[str, Any]


@dataclass(frozen=True)
class Place:
    """A table's columns by fold, whose rows belong together, and the weights of the training rows."""

    name: str
    kind: str
    columns: dict[str, pl.DataFrame]
    owners: dict[str, NDArray[np.int64]]
    weights: NDArray[np.float64] | None = None


@dataclass(frozen=True)
class DriftReport:
    """How many features and predictions were compared, and which have moved."""

    compared: int
    moved: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        said = f"{self.compared} features and predictions compared"
        return f"{said}, moved: {', '.join(self.moved)}" if self.moved else f"{said}, none has moved"


def measure_drift(con: duckdb.DuckDBPyConnection, night: Night) -> DriftReport:
    """Fill ops.drift_metrics: each feature and prediction of tonight against the training window, and each table.

    Tables with too few rows on either side are left out, as are predictions of heads that no model serves.
    """
    terms = night.monitoring
    known = sample_tables(con)
    rows = {table: [known.get(table, {}).get(fold, 0) for fold in FOLDS] for table in COMPARED}
    tables = [table for table in COMPARED if min(rows[table]) >= terms.minimum_rows]
    only = {table: sampled(table, one_in(max(rows[table]), terms.sample_rows)) for table in tables}
    frames = read_frames(con, tables, FOLDS, only=only)
    chosen = {table: folds for table, folds in frames.samples.items() if set(FOLDS) <= set(folds)}
    frames = replace(frames, samples=chosen)
    owners = {table: _owners(con, table, only) for table in chosen}
    places = [*_features(frames, owners), *_predictions(load_serving(con, night), frames, owners)]
    many = [place for place in places if min(map(len, place.columns.values())) >= terms.minimum_rows]
    found = [row for place in many for row in _compare(place, terms)]
    if found:
        frame = pl.DataFrame(found, infer_schema_length=None).with_columns(run_id=pl.lit(night.run_id))
        replace_night(con, "ops.drift_metrics", frame, night.run_id)
    moved = [row["subject"] for row in sorted(found, key=lambda row: -row["value"]) if row["is_alert"]]
    return DriftReport(len(found), moved)


def _owners(con: duckdb.DuckDBPyConnection, table: str, only: dict[str, str]) -> dict[str, NDArray[np.int64]]:
    """By fold, the half (0 or 1) that each row's owner belongs to: a classifier is asked about rows of owners whom it
    has not seen."""
    half = f"cast(hash({OWNERS[table]}) // 4096 % 2 as bigint) as half"
    return {fold: read_keys(con, table, fold, half, only)["half"].to_numpy() for fold in FOLDS}


def _features(frames: Frames, owners: dict[str, dict[str, NDArray[np.int64]]]) -> Iterator[Place]:
    """Features of users and products, each once for a fold, and the context of every table."""
    for slot, table in ENTITIES.items():
        if table in frames.samples:
            rows = {fold: _once(frames.samples[table][fold][f"slot_{slot}"]) for fold in FOLDS}
            columns = {fold: frames.entities[slot][named] for fold, (named, _) in rows.items()}
            halves = {fold: owners[table][fold][first] for fold, (_, first) in rows.items()}
            yield Place(f"{slot}s", "feature", columns, halves)
    for table, folds in frames.samples.items():
        context = [name for name in folds["serve"].columns if name.startswith("ctx_")]
        if context:
            columns = {
                fold: folds[fold].select(context).rename(lambda name: name.removeprefix("ctx_")) for fold in FOLDS
            }
            yield Place(table, "feature", columns, owners[table], _weights(folds["train"]))


def _predictions(
    serving: dict[str, ServingModel], frames: Frames, owners: dict[str, dict[str, NDArray[np.int64]]]
) -> Iterator[Place]:
    """What each serving model says of its tables, in the words of schema `predicted`; the curve that prices and stock
    read is looked at once."""
    compared = {
        task: model for task, model in serving.items() if TASKS[task].table in frames.samples and task != "pricing"
    }
    for model in {model.saved.model_version: model for model in compared.values()}.values():
        tasks = tuple(task for task in compared if compared[task] is model)
        scored = {fold: model.score(frames, fold, tasks).predictions for fold in FOLDS}
        for task in tasks:
            table = TASKS[task].table
            columns = {fold: _numbers(scored[fold][task]) for fold in FOLDS}
            yield Place(table, "prediction", columns, owners[table], _weights(frames.samples[table]["train"]))


def _compare(place: Place, terms: MonitoringConfig) -> Iterator[Row]:
    """The rows of ops.drift_metrics: one for each column, one for all features together."""
    names = [name for name in place.columns["serve"].columns if _differs_by_row(place, name)]
    tonight = {name: _binned(place, name, "serve") for name in names}
    measured = {name: _binned(place, name, "test") for name in tonight}
    for name, binned in tonight.items():
        value, before = drift.psi(binned, place.weights), drift.psi(measured[name], place.weights)
        threshold = terms.psi_threshold + drift.psi_by_chance(binned)
        yield {
            "kind": place.kind,
            "subject": f"{place.name}.{name}",
            "metric": "psi",
            "value": value,
            "measured_value": before,
            "threshold": threshold,
            "is_alert": value > max(threshold, 2 * before),
        } | _described(place, name)
    # What grows with time alone, such as the days since the first order, would tell tonight from any other day.
    steady = [name for name in names if drift.psi(measured[name], place.weights) <= terms.psi_threshold]
    if place.kind == "feature" and steady:
        yield _domain_row(place, [{name: of[name] for name in steady} for of in (tonight, measured)], terms)


def _domain_row(place: Place, compared: list[dict[str, Binned]], terms: MonitoringConfig) -> Row:
    tonight, measured = compared
    found = drift.domain(tonight, place.owners["train"], place.owners["serve"])
    before = drift.domain(measured, place.owners["train"], place.owners["test"])
    return {
        "kind": "table",
        "subject": place.name,
        "metric": "domain_auc",
        "value": found.auc,
        "measured_value": before.auc,
        "threshold": terms.domain_auc_threshold,
        "is_alert": found.auc > max(terms.domain_auc_threshold, (1 + before.auc) / 2),
        "reference_rows": len(place.columns["train"]),
        "current_rows": len(place.columns["serve"]),
        "detail": _in_words(found),
    }


def _in_words(found: Domain) -> str:
    telling = list(found.parts.items())[:3]
    return "told by " + ", ".join(f"{name} ({share:.0%})" for name, share in telling)


def _differs_by_row(place: Place, name: str) -> bool:
    """Whether the column has a distribution: a few values that nearly no earlier day had are of the day, such as how
    punctual each of two sites was of late."""
    then, now = place.columns["train"][name], place.columns["serve"][name]
    return now.n_unique() > drift.BINS or 2 * now.is_in(then.unique().implode()).sum() >= len(now)


def _described(place: Place, name: str) -> Row:
    then, now = place.columns["train"][name], place.columns["serve"][name]
    is_number = then.dtype.is_numeric() or then.dtype == pl.Boolean
    return {
        "reference_mean": then.cast(pl.Float64).mean() if is_number else None,
        "current_mean": now.cast(pl.Float64).mean() if is_number else None,
        "reference_missing_ratio": then.null_count() / len(then),
        "current_missing_ratio": now.null_count() / len(now),
        "reference_rows": len(then),
        "current_rows": len(now),
    }


def _binned(place: Place, name: str, fold: str) -> Binned:
    then, now = place.columns["train"][name], place.columns[fold][name]
    if then.dtype == pl.String:
        return drift.bin_words(*(column.fill_null("").to_numpy().astype(str) for column in (then, now)))
    return drift.bin_numbers(*(column.cast(pl.Float64).fill_null(np.nan).to_numpy() for column in (then, now)))


def _once(slots: pl.Series) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Entity rows that are named, each once, and the first sample row that names each."""
    named, first = np.unique(slots.to_numpy(), return_index=True)
    present = named != ABSENT
    return named[present].astype(np.int64), first[present].astype(np.int64)


def _weights(rows: pl.DataFrame) -> NDArray[np.float64] | None:
    """How many candidates a training row stands for, where only a share of them is kept."""
    return rows["sample_weight"].cast(pl.Float64).to_numpy() if "sample_weight" in rows.columns else None


def _numbers(predictions: dict[str, Any]) -> pl.DataFrame:
    """Columns [n] of a task; lists such as shares by category are left out."""
    return pl.DataFrame({name: values.double().numpy() for name, values in predictions.items() if values.dim() == 1})
