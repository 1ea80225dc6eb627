"""What a model is trained on: samples as tensors, and the model at its start."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

import duckdb
import torch

from mtl_models.config import ModelConfig
from mtl_models.elasticity import Spells
from mtl_models.heads import TASKS
from mtl_models.model import JointModel
from mtl_models.preprocess import Preprocessing
from mtl_models.relative_losses import Scales, start_losses
from mtl_models.samples import EntityTable, TaskSamples
from tasks.read_samples import Frames, entity_tensors, sample_tensors
from tasks.read_spells import read_spells
from tasks.row_limits import Choice


@dataclass(frozen=True, kw_only=True)
class Lesson:
    """Rows to learn from and to validate on, and which were chosen where not all are read; with the entities that they
    name. And what prices showed, where demand is learned."""

    preprocessing: Preprocessing
    entities: dict[str, EntityTable]
    train: dict[str, TaskSamples]
    validation: dict[str, TaskSamples]
    choice: Choice
    spells: Spells | None

    def start(self, config: ModelConfig, tasks: tuple[str, ...]) -> tuple[JointModel, Scales]:
        """An untrained model of these tasks, and the losses of its baselines."""
        torch.manual_seed(config.seed)
        model = JointModel(self.preprocessing, config, tasks).to(device_of(config))
        model.fit_baselines(self.entities, self.train)
        scales = start_losses(model, self.entities, self.train)
        if self.spells is not None:
            model.start_demand_curve(self.spells)
        return model, scales


def make_lesson(
    con: duckdb.DuckDBPyConnection,
    frames: Frames,
    preprocessing: Preprocessing,
    spells_end_date: date,
    device: torch.device,
) -> Lesson:
    """The frames as tensors, with the spells of price that were over by `spells_end_date`. Each sample table is taken
    out of the frames once it is tensors, for both together may be more than fits."""
    train: dict[str, TaskSamples] = {}
    validation: dict[str, TaskSamples] = {}
    for table in tuple(frames.samples):
        for fold, read in (("train", train), ("validation", validation)):
            tensors = sample_tensors(frames, preprocessing, fold, (table,))
            read |= {table: rows.to(device) for table, rows in tensors.items()}
        del frames.samples[table]
    products = preprocessing.entities["product"].ids
    return Lesson(
        preprocessing=preprocessing,
        entities={slot: table.to(device) for slot, table in entity_tensors(frames, preprocessing).items()},
        train=train,
        validation=validation,
        choice=frames.choice,
        spells=read_spells(con, products, spells_end_date).to(device) if "demand" in train else None,
    )


def tables_of(tasks: Iterable[str]) -> list[str]:
    """The sample tables that the tasks learn from, each once."""
    return list(dict.fromkeys(TASKS[task].table for task in tasks))


def device_of(config: ModelConfig) -> torch.device:
    """Where to train: the setting, or a GPU when there is one."""
    if config.device == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    return torch.device(config.device)
