"""Which model serves which head: heads and their tasks, tonight's choice, and the champions of earlier nights."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

import duckdb
import torch
from torch import Tensor

from mtl_models import checkpoint
from mtl_models.checkpoint import Checkpoint, CheckpointError
from mtl_models.heads import TASKS
from mtl_models.model import JointModel
from mtl_models.predict import predict
from mtl_models.preprocess import Preprocessing
from mtl_models.samples import EntityTable, TaskSamples
from tasks.model_files import ModelFiles, load_model, model_files
from tasks.night import Night
from tasks.progress import report
from tasks.read_samples import Frames, entity_tensors, sample_tensors
from tasks.row_limits import Choice

# A head is released as a whole. Parts with data of their own have a gate of their own: quality is part of
# recommendation, promotion and uplift of pricing, order_risks and tickets of service.
HEADS = {
    "profile": ("profile",),
    "recommendation": ("recommendation",),
    "quality": ("quality",),
    "pricing": ("pricing",),
    "promotion": ("promotion",),
    "uplift": ("uplift",),
    "supply": ("supply",),
    "service": ("service_days",),
    "order_risks": ("service_orders",),
    "tickets": ("service_tickets",),
}
# Of these there are new ones every day.
NEWCOMERS = ("user", "product")


@dataclass(frozen=True)
class Scored:
    """One fold as a model sees it: the rows by table, the entities by slot, and its predictions by task; `choice` of
    the rows, as in the frames."""

    rows: dict[str, TaskSamples]
    entities: dict[str, EntityTable]
    predictions: dict[str, dict[str, Tensor]]
    choice: Choice


@dataclass(frozen=True)
class ServingModel:
    """A loaded model; `is_fallback` when it is a champion of an earlier night."""

    model: JointModel
    saved: Checkpoint
    is_fallback: bool

    def score(self, frames: Frames, fold: str, tasks: tuple[str, ...], *, hides_ids: bool = False) -> Scored:
        """Predictions of these tasks for one fold; with `hides_ids` as if it met all users and products for the first
        time."""
        tables = {TASKS[task].table for task in tasks}
        preprocessing = self.saved.preprocessing
        rows = sample_tensors(frames, preprocessing, fold, tables)
        entities = entity_tensors(frames, preprocessing)
        if hides_ids:
            new = {slot: replace(entities[slot], ids=torch.zeros_like(entities[slot].ids)) for slot in NEWCOMERS}
            entities |= new
        predictions = predict(self.model, entities, rows)
        return Scored(rows, entities, {task: predictions[task] for task in tasks if task in predictions}, frames.choice)


@dataclass(frozen=True)
class Served:
    """Which model serves a task; `is_fallback` when it is a champion of an earlier night."""

    task: str
    files: ModelFiles
    is_fallback: bool


def choose_serving(con: duckdb.DuckDBPyConnection, night: Night) -> tuple[Served, ...]:
    """The tasks of the heads that may serve tonight."""
    chosen = con.execute(
        """
        select head, model_version, status = 'champion' from ops.head_status
        where run_id = $1 and status in ('released', 'champion')
        """,
        [night.run_id],
    ).fetchall()
    return tuple(
        Served(task, model_files(con, night, _run_of(version)), is_fallback)
        for head, version, is_fallback in chosen
        for task in HEADS[head]
    )


def load_served(served: Sequence[Served]) -> dict[str, ServingModel]:
    """{task: model}; a model that serves several is loaded once."""
    loaded: dict[ModelFiles, ServingModel] = {}
    for choice in served:
        if choice.files not in loaded:
            loaded[choice.files] = ServingModel(*choice.files.load(), is_fallback=choice.is_fallback)
    return {choice.task: loaded[choice.files] for choice in served}


def load_serving(con: duckdb.DuckDBPyConnection, night: Night) -> dict[str, ServingModel]:
    """{task: model} of the heads that may serve."""
    return load_served(choose_serving(con, night))


def load_tonight(night: Night) -> ServingModel:
    """The model that this night trained."""
    model, saved = checkpoint.load(night.model_folder)
    return ServingModel(model, saved, is_fallback=False)


def load_champion(con: duckdb.DuckDBPyConnection, night: Night, head: str, frames: Frames) -> ServingModel | None:
    """The model of the latest earlier night that was released with the head and can read tonight's features."""
    runs = con.execute(
        """
        select head_status.run_id from ops.head_status join ops.runs using (run_id)
        where head = $1 and head_status.status = 'released' and as_of_date < $2
            and runs.status = 'released'
        order by as_of_date desc, started_at desc
        """,
        [head, night.as_of_date],
    ).fetchall()
    for (run_id,) in runs:
        folder = night.home / "models" / run_id
        if not (folder / checkpoint.DESCRIPTION).exists():
            continue
        try:
            model, saved = load_model(con, night, run_id)
        except CheckpointError as error:
            report(f"passed over as champion of {head}: {error}")
            continue
        if can_read(saved.preprocessing, frames):
            return ServingModel(model, saved, is_fallback=True)
    return None


def can_read(preprocessing: Preprocessing, frames: Frames) -> bool:
    """Whether tonight's tables still have every column that the model reads."""
    columns = {slot: set(frame.columns) for slot, frame in frames.entities.items()}
    columns |= {
        f"context:{table}": set[str]().union(*(part.columns for part in folds.values()))
        for table, folds in frames.samples.items()
    }
    names = preprocessing.feature_names
    return preprocessing.interests == frames.interests and all(
        set(wanted) <= columns[place] for place, wanted in names.items() if place in columns
    )


def measured_window(con: duckdb.DuckDBPyConnection, table: str) -> tuple[date, date]:
    """First cut-off of the test fold, and the day up to which it was observed."""
    query = f"""
        select min(cutoff_date), (select max(cutoff_date) from features.cutoffs where fold = 'serve')
        from samples."{table}" where fold = 'test'
    """
    first, last = con.execute(query).fetchall()[0]
    return first, last


def _run_of(model_version: str) -> str:
    """The night that trained the model of that version."""
    return model_version.rpartition("-")[0]
