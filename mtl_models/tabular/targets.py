"""Kinds of labels: how each is read, what the constant predictor says, what a residual to it costs and means.

A network's raw output is a residual to the best constant, so a new network is the constant predictor and its loss
is the scale by which losses of different tasks become comparable.
"""

from __future__ import annotations

from typing import Self

import numpy as np
import polars as pl
import torch
from torch import Tensor
from torch.nn import functional

from mtl_models import metrics
from mtl_models.config import Frozen
from mtl_models.losses import binary_cross_entropy, logit, pinball, poisson_deviance
from mtl_models.tabular.errors import FrameError
from mtl_models.tabular.task import TaskSpec


class Target(Frozen):
    """A task's label as learned from training rows. Raw outputs and losses have any leading shape [..., outputs]."""

    spec: TaskSpec
    constants: tuple[float, ...] = ()
    spread: float = 1.0
    classes: tuple[str, ...] = ()

    @classmethod
    def fit(cls, spec: TaskSpec, column: pl.Series) -> Self:
        """Learned from training labels; FrameError when they are not of the kind or none is known."""
        labels = cls(spec=spec).read(column).double().numpy()
        known = labels[~np.isnan(labels)]
        if not len(known):
            raise _no_labels(spec)
        return cls._fit_known(spec, known)

    @classmethod
    def _fit_known(cls, spec: TaskSpec, labels: np.ndarray) -> Self:
        """Learned from [n] known labels."""
        raise NotImplementedError

    @property
    def outputs(self) -> int:
        """Raw outputs that the task needs."""
        return len(self.constants)

    def read(self, column: pl.Series) -> Tensor:
        """[n] float32 labels, NaN where null; FrameError when a label is not of the kind."""
        return _numbers(self.spec, column)

    def losses(self, raw: Tensor, label: Tensor) -> Tensor:
        """[...] from raw [..., outputs] and finite labels [...]."""
        raise NotImplementedError

    def predictions(self, raw: Tensor) -> Tensor:
        """[..., outputs] in the unit of the label."""
        raise NotImplementedError

    def names(self) -> tuple[str, ...]:
        """Names of the predictions where a task has several, else empty."""
        return ()

    def score(self, label: np.ndarray, predicted: np.ndarray) -> dict[str, float]:
        """Measures of predictions [n, outputs] against known labels [n]."""
        raise NotImplementedError

    def _raw(self, residual: Tensor) -> Tensor:
        return residual + residual.new_tensor(self.constants)


class Binary(Target):
    """Log odds around those of the average."""

    @classmethod
    def _fit_known(cls, spec: TaskSpec, labels: np.ndarray) -> Self:
        return cls(spec=spec, constants=(float(logit(torch.tensor(labels.mean()))),))

    def read(self, column: pl.Series) -> Tensor:
        """[n] 0 or 1, NaN where null."""
        if self.spec.positive is not None:
            column = column.cast(pl.String) == self.spec.positive
        elif not (column.dtype.is_numeric() or column.dtype in (pl.Boolean, pl.Null)):
            raise _wrong(self.spec, column, "true/false or 0/1; say which word is true: TaskSpec(..., positive=WORD)")
        labels = _numbers(self.spec, column)
        if not torch.isin(labels[~torch.isnan(labels)], torch.tensor([0.0, 1.0])).all():
            raise _wrong(self.spec, column, "true/false or 0/1")
        return labels

    def losses(self, raw: Tensor, label: Tensor) -> Tensor:
        """Cross-entropy."""
        return binary_cross_entropy(self._raw(raw).squeeze(-1), label)

    def predictions(self, raw: Tensor) -> Tensor:
        """Probability that the label is true."""
        return self._raw(raw).sigmoid()

    def score(self, label: np.ndarray, predicted: np.ndarray) -> dict[str, float]:
        """AUC, cross-entropy, Brier score."""
        probability = predicted[:, 0]
        return {
            "auc": metrics.auc(label, probability),
            "cross_entropy": metrics.cross_entropy(label, probability),
            "brier": metrics.brier(label, probability),
        }


class Multiclass(Target):
    """Log shares around the average shares."""

    @classmethod
    def fit(cls, spec: TaskSpec, column: pl.Series) -> Self:
        """Every class of the training labels, in order."""
        if column.dtype.is_float():
            raise _wrong(spec, column, "words or whole numbers; use kind regression for others")
        classes = column.cast(pl.String).drop_nulls().unique().sort().to_list()
        labels = cls(spec=spec, classes=tuple(classes)).read(column).numpy()
        if not classes:
            raise _no_labels(spec)
        counts = np.bincount(labels[~np.isnan(labels)].astype(int))
        return cls(spec=spec, classes=tuple(classes), constants=tuple(np.log(counts / counts.sum()).tolist()))

    def read(self, column: pl.Series) -> Tensor:
        """[n] number of the class, NaN where null or of a class that training rows lack."""
        return _floats(column.cast(pl.String).cast(pl.Enum(self.classes), strict=False).to_physical())

    def losses(self, raw: Tensor, label: Tensor) -> Tensor:
        """Cross-entropy."""
        log_shares = functional.log_softmax(self._raw(raw), dim=-1)
        return -log_shares.gather(-1, label.long()[..., None]).squeeze(-1)

    def predictions(self, raw: Tensor) -> Tensor:
        """Probability of each class."""
        return functional.softmax(self._raw(raw), dim=-1)

    def names(self) -> tuple[str, ...]:
        """The classes."""
        return self.classes

    def score(self, label: np.ndarray, predicted: np.ndarray) -> dict[str, float]:
        """Accuracy, cross-entropy."""
        chosen = np.clip(predicted[np.arange(len(label)), label.astype(int)], 1e-6, 1)
        return {
            "accuracy": float((predicted.argmax(axis=1) == label).mean()),
            "cross_entropy": float(-np.log(chosen).mean()),
        }


class Regression(Target):
    """The mean, in standard deviations around the average."""

    @classmethod
    def _fit_known(cls, spec: TaskSpec, labels: np.ndarray) -> Self:
        return cls(spec=spec, constants=(float(labels.mean()),), spread=_spread(labels))

    def losses(self, raw: Tensor, label: Tensor) -> Tensor:
        """Squared error in units of the variance."""
        return (raw.squeeze(-1) - (label - self.constants[0]) / self.spread) ** 2

    def predictions(self, raw: Tensor) -> Tensor:
        """The mean."""
        return raw * self.spread + self.constants[0]

    def score(self, label: np.ndarray, predicted: np.ndarray) -> dict[str, float]:
        """Root mean squared error, mean absolute error, rank correlation."""
        gap = label - predicted[:, 0]
        return {
            "rmse": float(np.sqrt((gap**2).mean())),
            "mae": metrics.mean_absolute_error(label, predicted[:, 0]),
            "spearman": metrics.spearman(label, predicted[:, 0]),
        }


class Count(Target):
    """The log of the mean, around the average's."""

    @classmethod
    def _fit_known(cls, spec: TaskSpec, labels: np.ndarray) -> Self:
        return cls(spec=spec, constants=(float(np.log(max(labels.mean(), 1e-6))),))

    def read(self, column: pl.Series) -> Tensor:
        """[n] counts, NaN where null."""
        labels = super().read(column)
        known = labels[~torch.isnan(labels)]
        if (known < 0).any() or (known != known.round()).any():
            raise _wrong(self.spec, column, "whole numbers from 0; use kind regression for others")
        return labels

    def losses(self, raw: Tensor, label: Tensor) -> Tensor:
        """Poisson deviance."""
        return poisson_deviance(self._raw(raw).squeeze(-1), label)

    def predictions(self, raw: Tensor) -> Tensor:
        """The mean."""
        return self._raw(raw).exp()

    def score(self, label: np.ndarray, predicted: np.ndarray) -> dict[str, float]:
        """Poisson deviance, mean absolute error, bias."""
        deviance = poisson_deviance(torch.tensor(predicted[:, 0]).log(), torch.tensor(label))
        return {
            "poisson_deviance": float(deviance.mean()),
            "mae": metrics.mean_absolute_error(label, predicted[:, 0]),
            "bias_percent": metrics.bias_percent(label, predicted[:, 0]),
        }


class Quantile(Target):
    """Quantiles in standard deviations; each a softplus above the one below, so that they never cross."""

    @classmethod
    def _fit_known(cls, spec: TaskSpec, labels: np.ndarray) -> Self:
        return cls(spec=spec, constants=tuple(np.quantile(labels, spec.levels).tolist()), spread=_spread(labels))

    def losses(self, raw: Tensor, label: Tensor) -> Tensor:
        """Mean pinball loss over the levels, in standard deviations."""
        values, scaled = self._values(raw), label / self.spread
        each = [pinball(values[..., i], scaled, level) for i, level in enumerate(self.spec.levels)]
        return torch.stack(each).mean(dim=0)

    def predictions(self, raw: Tensor) -> Tensor:
        """The value at each level."""
        return self._values(raw) * self.spread

    def names(self) -> tuple[str, ...]:
        """p10, p50, ..."""
        return tuple(f"p{100 * level:g}" for level in self.spec.levels)

    def score(self, label: np.ndarray, predicted: np.ndarray) -> dict[str, float]:
        """Pinball loss and coverage at each level."""
        scores: dict[str, float] = {}
        for i, (name, level) in enumerate(zip(self.names(), self.spec.levels, strict=True)):
            loss = pinball(torch.tensor(predicted[:, i]), torch.tensor(label), level)
            scores |= {
                f"pinball_{name}": float(loss.mean()),
                f"coverage_{name}": metrics.coverage(label, predicted[:, i]),
            }
        return scores

    def _values(self, raw: Tensor) -> Tensor:
        constants = raw.new_tensor(self.constants) / self.spread
        gaps = constants.diff().clamp_min(1e-3)
        steps = functional.softplus(raw[..., 1:] + gaps.expm1().log())
        return torch.cat([raw[..., :1] + constants[:1], steps], dim=-1).cumsum(dim=-1)


KINDS: dict[str, type[Target]] = {
    "binary": Binary,
    "multiclass": Multiclass,
    "regression": Regression,
    "count": Count,
    "quantile": Quantile,
}


def fit_target(spec: TaskSpec, frame: pl.DataFrame) -> Target:
    """The target of a task; FrameError when the frame lacks its labels or they are of another kind."""
    return KINDS[spec.kind].fit(spec, label_column(spec, frame))


def label_column(spec: TaskSpec, frame: pl.DataFrame) -> pl.Series:
    """The labels; FrameError when the frame lacks the column."""
    if spec.label not in frame.columns:
        raise FrameError(f"task {spec.name}: the frame has no column {spec.label}; name the labels' with column=...")
    return frame[spec.label]


def _numbers(spec: TaskSpec, column: pl.Series) -> Tensor:
    if not (column.dtype.is_numeric() or column.dtype in (pl.Boolean, pl.Null)):
        raise _wrong(spec, column, "numbers")
    return _floats(column)


def _floats(column: pl.Series) -> Tensor:
    return torch.from_numpy(column.cast(pl.Float32).fill_null(float("nan")).to_numpy().copy())


def _spread(labels: np.ndarray) -> float:
    return float(labels.std()) or 1.0


def _wrong(spec: TaskSpec, column: pl.Series, wanted: str) -> FrameError:
    examples = ", ".join(repr(value) for value in column.drop_nulls().unique().sort().head(3))
    return FrameError(
        f"task {spec.name}: labels of kind {spec.kind} are {wanted}; {spec.label} is {column.dtype}: {examples}"
    )


def _no_labels(spec: TaskSpec) -> FrameError:
    return FrameError(f"task {spec.name}: {spec.label} holds no label; leave the task out or fill the column")
