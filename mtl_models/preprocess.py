"""From raw columns to tensors: vocabularies and scales, learned on training rows only and kept with the model.

The column decides how it is read: numbers are scaled, words become indexes into a vocabulary. So a new feature is a
new column and needs no code here.
"""

from __future__ import annotations

from collections.abc import Callable
from operator import or_
from typing import Any, Self

import numpy as np
import polars as pl
import torch
from pydantic import model_validator
from torch import Tensor

from mtl_models.config import Frozen
from mtl_models.piecewise import Bins, find_bins
from mtl_models.samples import EntityTable

# Beyond this many standard deviations a value says "extreme" and nothing more; it also tames a feature that
# leaves its training range.
CLIP = 5.0
# Above this skewness the distances of a feature live on the log scale (counts, money).
LOG_SKEWNESS = 1.5
# Ends the name of the column that says whether another was known.
IS_MISSING = " is missing"


class Vocabulary(Frozen):
    """Words with an index of their own, from 1; 0 stands for unknown and missing."""

    words: tuple[str, ...]

    @classmethod
    def fit(cls, column: pl.Series) -> Self:
        """Every word of the column, sorted, so that the same rows give the same indexes."""
        return cls(words=tuple(column.drop_nulls().unique().sort().to_list()))

    def __len__(self) -> int:
        return len(self.words) + 1

    def index(self, column: pl.Series) -> Tensor:
        """[n] indexes of the words."""
        known = column.cast(pl.Enum(self.words), strict=False).to_physical().cast(pl.Int64)
        return torch.from_numpy((known + 1).fill_null(0).to_numpy().copy())


class Scaler(Frozen):
    """Numbers on a common scale: skewed ones through a signed log1p, then standardised and clipped.

    A missing value becomes 0 (the mean), and a column that was ever missing gets an indicator beside it. Beyond the
    range that training saw, from `lowest` to `highest`, a number is read as its edge, as trees read it: a network would
    go on in a straight line, and December is not what November was, only more so. `bins` are those of the scaled
    numbers.
    """

    names: tuple[str, ...]
    lowest: tuple[float, ...] = ()
    highest: tuple[float, ...] = ()
    is_log: tuple[bool, ...] = ()
    mean: tuple[float, ...] = ()
    scale: tuple[float, ...] = ()
    is_sometimes_missing: tuple[bool, ...] = ()
    bins: Bins = ()

    @classmethod
    def fit(cls, frame: pl.DataFrame, names: tuple[str, ...], *, has_bins: bool = False) -> Self:
        """Learned on the rows given; a column without variation is scaled to 0."""
        if not names or frame.is_empty():
            return cls(names=())
        values = _matrix(frame, names).astype(np.float64)
        lowest, highest = _range(values)
        is_log = np.abs(_skewness(values)) > LOG_SKEWNESS
        values = np.where(is_log, np.sign(values) * np.log1p(np.abs(values)), values)
        mean, spread = _moments(values)
        scale = np.where(spread > 1e-9, 1 / np.maximum(spread, 1e-9), 0.0)
        return cls(
            names=names,
            lowest=tuple(lowest.tolist()),
            highest=tuple(highest.tolist()),
            is_log=tuple(is_log.tolist()),
            mean=tuple(mean.tolist()),
            scale=tuple(scale.tolist()),
            is_sometimes_missing=tuple(np.asarray(np.isnan(values).any(axis=0)).tolist()),
            bins=find_bins(np.clip((values - mean) * scale, -CLIP, CLIP)) if has_bins else (),
        )

    @model_validator(mode="after")
    def _knows_ranges(self) -> Self:
        if not len(self.names) == len(self.lowest) == len(self.highest):
            raise ValueError("it does not say from where to where training saw its numbers, as today's models do")
        return self

    @property
    def width(self) -> int:
        """Columns of the tensor: every number, and an indicator for those that may be missing."""
        return len(self.names) + sum(self.is_sometimes_missing)

    @property
    def columns(self) -> tuple[str, ...]:
        """What each column of the tensor says."""
        flags = zip(self.names, self.is_sometimes_missing, strict=False)
        return (*self.names, *(f"{name}{IS_MISSING}" for name, is_flagged in flags if is_flagged))

    def on_scales_of(self, earlier: Scaler) -> Scaler:
        """The same columns, read as `earlier` read those that it knew: weights learned on its scales then mean the
        same. What was constant then taught nothing, so it is read as tonight. The range is what either saw."""
        theirs = {name: i for i, name in enumerate(earlier.names) if earlier.scale[i]}
        known = [theirs.get(name) for name in self.names]

        def merged(field: str, joined: Callable[[Any, Any], Any] = lambda ours, before: before) -> tuple[Any, ...]:
            ours, before = getattr(self, field), getattr(earlier, field)
            return tuple(ours[i] if at is None else joined(ours[i], before[at]) for i, at in enumerate(known))

        bins = [bin for bin in self.bins if known[bin[0]] is None]
        for i, at in enumerate(known):
            bins += [(i, low, high) for column, low, high in earlier.bins if column == at]
        was_missing = (at is not None and earlier.is_sometimes_missing[at] for at in known)
        return Scaler(
            names=self.names,
            lowest=merged("lowest", min),
            highest=merged("highest", max),
            is_log=merged("is_log"),
            mean=merged("mean"),
            scale=merged("scale"),
            is_sometimes_missing=tuple(map(or_, self.is_sometimes_missing, was_missing)),
            bins=tuple(sorted(bins)),
        )

    def transform(self, frame: pl.DataFrame) -> Tensor:
        """[n, width] float32."""
        if not self.names:
            return torch.zeros(len(frame), 0)
        values = torch.from_numpy(_matrix(frame, self.names))
        missing = torch.isnan(values)
        values.clamp_(torch.tensor(self.lowest), torch.tensor(self.highest))
        logs = torch.tensor(self.is_log)
        values[:, logs] = values[:, logs].sign() * values[:, logs].abs().log1p()
        values.sub_(torch.tensor(self.mean)).mul_(torch.tensor(self.scale)).clamp_(-CLIP, CLIP)
        values[missing] = 0.0
        return torch.cat([values, missing[:, torch.tensor(self.is_sometimes_missing)].float()], dim=1)


class EntitySpec(Frozen):
    """How one kind of entity is read: its ids, its words, its numbers."""

    ids: Vocabulary
    categories: dict[str, Vocabulary]
    numbers: Scaler

    @classmethod
    def fit(cls, frame: pl.DataFrame, id_name: str | None) -> Self:
        """Learned on training rows: `id_name` is the id column (None for an entity without ids); other text
        columns are words, the rest numbers."""
        features = frame.drop(id_name) if id_name else frame
        words = [name for name, kind in features.schema.items() if kind == pl.String]
        numbers = tuple(name for name in features.columns if name not in words)
        ids = Vocabulary.fit(frame[id_name]) if id_name else Vocabulary(words=())
        categories = {name: Vocabulary.fit(features[name]) for name in words}
        return cls(ids=ids, categories=categories, numbers=Scaler.fit(features, numbers))

    def transform(self, frame: pl.DataFrame, id_name: str | None) -> EntityTable:
        """The table as tensors; columns unknown to the spec are left out."""
        words = [vocabulary.index(frame[name]) for name, vocabulary in self.categories.items()]
        no_ids = torch.zeros(len(frame), dtype=torch.int64)
        return EntityTable(
            ids=self.ids.index(frame[id_name]) if id_name else no_ids,
            categories=torch.stack(words, dim=1) if words else no_ids.new_zeros(len(frame), 0),
            numbers=self.numbers.transform(frame),
        )


class Preprocessing(Frozen):
    """All that turns a night's tables into tensors; saved with the model, so that it reads them alike."""

    entities: dict[str, EntitySpec]
    contexts: dict[str, Scaler]
    interests: tuple[str, ...]

    @property
    def feature_names(self) -> dict[str, tuple[str, ...]]:
        """Columns read from each table: two models with equal names read alike."""
        names = {slot: (*spec.categories, *spec.numbers.names) for slot, spec in self.entities.items()}
        return names | {f"context:{table}": scaler.names for table, scaler in self.contexts.items()}

    def on_scales_of(self, earlier: Preprocessing) -> Preprocessing:
        """The same words and columns on the scales of an earlier model, as far as it knew the columns."""
        entities = {
            slot: spec.model_copy(update={"numbers": spec.numbers.on_scales_of(earlier.entities[slot].numbers)})
            for slot, spec in self.entities.items()
        }
        contexts = {
            table: scaler.on_scales_of(earlier.contexts.get(table, Scaler(names=())))
            for table, scaler in self.contexts.items()
        }
        return self.model_copy(update={"entities": entities, "contexts": contexts})


def _matrix(frame: pl.DataFrame, names: tuple[str, ...]) -> np.ndarray:
    """[n, names] float32, NaN where missing; a number without end says as little as none."""
    numbers = frame.select(pl.col(names).cast(pl.Float32).fill_null(float("nan"))).to_numpy(order="c", writable=True)
    numbers[np.isinf(numbers)] = np.nan
    return numbers


def _moments(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard deviation of each column over what is known; 0 where nothing is."""
    known = ~np.isnan(values)
    count = np.maximum(known.sum(axis=0), 1)
    mean = np.where(known, values, 0.0).sum(axis=0) / count
    spread = np.sqrt((np.where(known, values - mean, 0.0) ** 2).sum(axis=0) / count)
    return mean, spread


def _range(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Lowest and highest of each column over what is known; 0 where nothing is."""
    known = ~np.isnan(values)
    is_empty = ~known.any(axis=0)
    lowest, highest = (np.where(known, values, far) for far in (np.inf, -np.inf))
    return np.where(is_empty, 0.0, lowest.min(axis=0)), np.where(is_empty, 0.0, highest.max(axis=0))


def _skewness(values: np.ndarray) -> np.ndarray:
    mean, spread = _moments(values)
    standard = (values - mean) / np.maximum(spread, 1e-9)
    return _moments(standard**3)[0]
