"""A multi-task model of one's own table: frames in, frames out."""

from __future__ import annotations

from collections.abc import Sequence
from os import PathLike
from typing import Any, Self

import numpy as np
import polars as pl
import torch

from mtl_models.tabular import checkpoint
from mtl_models.tabular.config import TabularConfig
from mtl_models.tabular.errors import FrameError
from mtl_models.tabular.fit import Epoch, fit, predict
from mtl_models.tabular.frame import FrameEncoder, Rows
from mtl_models.tabular.network import TabularNetwork
from mtl_models.tabular.targets import Target, fit_target, label_column
from mtl_models.tabular.task import TaskSpec


class MultiTaskModel:
    """Several tasks of one table, learned together.

    Every column that is no label is a feature: words (strings, categoricals, booleans) and numbers, nulls allowed;
    leave out what must not be known. Settings are the fields of `TabularConfig`, among them `sharing` and `balancing`
    as in the joint model of the night. `history` has the passes of the last fit. ValueError for settings or tasks that
    do not go together.
    """

    def __init__(self, tasks: Sequence[TaskSpec], **settings: Any) -> None:
        names = [task.name for task in tasks]
        if not names or len(set(names)) < len(names):
            raise ValueError(f"each task needs a name of its own; got {names}")
        self.tasks, self.config = tuple(tasks), TabularConfig(**settings)
        self.history: list[Epoch] = []
        self._network: TabularNetwork | None = None

    def fit(self, train: pl.DataFrame, validation: pl.DataFrame | None = None) -> Self:
        """Learn from `train`; `validation` says which pass to keep and when to stop, else `max_epochs` are made.

        FrameError when a column is missing, or labels are of another kind or all null.
        """
        targets = [fit_target(task, train) for task in self.tasks]
        encoder = FrameEncoder.fit(train.drop({task.label for task in self.tasks}), self.config.bins)
        torch.manual_seed(self.config.seed)
        network = TabularNetwork(encoder, targets, self.config).to(_device(self.config.device))
        rows = _labelled(network, train)
        network.fit_scales(rows.labels)
        self.history = list(fit(network, rows, None if validation is None else _labelled(network, validation)))
        self._network = network
        return self

    def predict(self, frame: pl.DataFrame) -> pl.DataFrame:
        """A row for each row of the frame and a column for each task: a float, or a struct where a task predicts
        several values. The frame needs no labels."""
        columns = zip(self.network.targets, self._predictions(frame), strict=True)
        return pl.DataFrame([_column(target, values) for target, values in columns])

    def score(self, frame: pl.DataFrame) -> pl.DataFrame:
        """(task, metric, value, constant, rows): measures on the rows whose label is known, beside the constant
        predictor's. FrameError when a task has no labels there."""
        scores = []
        for target, predicted in zip(self.network.targets, self._predictions(frame), strict=True):
            label = target.read(label_column(target.spec, frame)).double().numpy()
            known = ~np.isnan(label)
            if not known.any():
                raise FrameError(f"task {target.spec.name}: {target.spec.label} holds no label to compare with")
            residual = torch.zeros(int(known.sum()), target.outputs)
            constant = target.score(label[known], target.predictions(residual).double().numpy())
            for metric, value in target.score(label[known], predicted[known]).items():
                scores.append((target.spec.name, metric, value, constant[metric], int(known.sum())))
        return pl.DataFrame(scores, schema=["task", "metric", "value", "constant", "rows"], orient="row")

    def save(self, folder: str | PathLike[str]) -> None:
        """Write the model to a folder: weights as safetensors, all else as JSON."""
        checkpoint.save(folder, self.network)

    @classmethod
    def load(cls, folder: str | PathLike[str]) -> Self:
        """The model as it was saved; CheckpointError when it cannot be read."""
        network = checkpoint.load(folder)
        model = cls([target.spec for target in network.targets], **network.config.model_dump())
        model._network = network.to(_device(network.config.device))
        return model

    @property
    def network(self) -> TabularNetwork:
        """The trained network; ValueError before `fit`."""
        if self._network is None:
            raise ValueError("the model has not learned anything yet; call fit(train, validation) first")
        return self._network

    def _predictions(self, frame: pl.DataFrame) -> list[np.ndarray]:
        """[n, outputs] of each task."""
        network = self.network
        device = network.loss_scales.device
        no_labels = torch.full((len(frame), len(network.targets)), float("nan"))
        raw = predict(network, network.encoder.transform(frame, no_labels).to(device))
        return [values.double().cpu().numpy() for values in network.predictions(raw)]


def _labelled(network: TabularNetwork, frame: pl.DataFrame) -> Rows:
    labels = [target.read(label_column(target.spec, frame)) for target in network.targets]
    return network.encoder.transform(frame, torch.stack(labels, dim=1)).to(network.loss_scales.device)


def _column(target: Target, values: np.ndarray) -> pl.Series:
    """The predictions [n, outputs] of a task as one column."""
    if not target.names():
        return pl.Series(target.spec.name, values[:, 0])
    return pl.DataFrame(values, schema=list(target.names())).to_struct(target.spec.name)


def _device(wanted: str) -> torch.device:
    if wanted == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    return torch.device(wanted)
