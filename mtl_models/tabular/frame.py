"""From a frame to tensors: columns of words become indexes, numbers become places between quantiles.

Learned on training rows only, without looking at any label, and saved with the model.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Self

import numpy as np
import polars as pl
import torch
from torch import Tensor

from mtl_models.config import Frozen
from mtl_models.preprocess import Scaler, Vocabulary
from mtl_models.tabular.errors import FrameError

# Quantiles of more rows than these are the same quantiles.
ROWS_FOR_QUANTILES = 100_000


@dataclass(frozen=True)
class Rows:
    """Features and labels of a frame, resident as tensors.

    `words` [n, columns of words]: indexes into one vocabulary for all columns; `numbers` [n, scaled numbers]; `bins`
    [n, columns of numbers]: the bin that a number lies in; `places` [n, columns of numbers]: where in the bin, 0 to 1;
    `labels` [n, tasks]: NaN where not known.
    """

    words: Tensor
    numbers: Tensor
    bins: Tensor
    places: Tensor
    labels: Tensor

    def __len__(self) -> int:
        return len(self.labels)

    def take(self, index: Tensor | slice) -> Rows:
        """The rows at `index`, in that order."""
        return Rows(*(getattr(self, field.name)[index] for field in fields(self)))

    def to(self, device: torch.device) -> Rows:
        """The same rows on another device."""
        return Rows(*(getattr(self, field.name).to(device) for field in fields(self)))


class FrameEncoder(Frozen):
    """How columns are read: `words` by vocabulary, `numbers` by scale and by the `edges` of their bins."""

    words: dict[str, Vocabulary]
    numbers: Scaler
    edges: dict[str, tuple[float, ...]]

    @classmethod
    def fit(cls, frame: pl.DataFrame, bins: int) -> Self:
        """Learned on training rows; `bins` 0 leaves numbers as they are, scaled.

        Raises FrameError for a column that is neither words nor numbers, and when there is none.
        """
        if not frame.width or not len(frame):
            raise FrameError("the frame has no feature to learn from: it needs rows, and a column beside the labels")
        is_word = {name: _is_word(name, kind) for name, kind in frame.schema.items()}
        numbers = tuple(name for name, word in is_word.items() if not word)
        finite = _finite(frame, numbers)
        sample = finite.sample(min(len(frame), ROWS_FOR_QUANTILES), seed=0)
        return cls(
            words={name: Vocabulary.fit(frame[name].cast(pl.String)) for name, word in is_word.items() if word},
            numbers=Scaler.fit(finite, numbers),
            edges={name: _edges(sample[name], bins) for name in numbers} if bins else {},
        )

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that are read."""
        return (*self.words, *self.numbers.names)

    @property
    def most_bins(self) -> int:
        """Bins of the number that has most of them."""
        return max((len(edges) - 1 for edges in self.edges.values()), default=0)

    def transform(self, frame: pl.DataFrame, labels: Tensor) -> Rows:
        """The frame as tensors; FrameError when a column is missing or holds something else than in training."""
        missing = [name for name in self.columns if name not in frame.columns]
        if missing:
            raise FrameError(f"the frame lacks {', '.join(missing)}, which the model was trained on; add the column")
        for name in self.columns:
            if _is_word(name, frame.schema[name]) != (name in self.words) and frame.schema[name] != pl.Null:
                was = "words" if name in self.words else "numbers"
                raise FrameError(f"column {name} held {was} in training, but is {frame.schema[name]} here; cast it")
        n = len(frame)
        words, offset = [], 0
        for name, vocabulary in self.words.items():
            words.append(vocabulary.index(frame[name].cast(pl.String)) + offset)
            offset += len(vocabulary)
        finite = _finite(frame, self.numbers.names)
        cells = [self._cells(finite[name], edges) for name, edges in self.edges.items()]
        empty = torch.zeros(n, 0)
        return Rows(
            words=torch.stack(words, dim=1) if words else empty.long(),
            numbers=self.numbers.transform(finite),
            bins=torch.stack([bins for bins, _ in cells], dim=1) if cells else empty.long(),
            places=torch.stack([places for _, places in cells], dim=1) if cells else empty,
            labels=labels,
        )

    def _cells(self, column: pl.Series, edges: tuple[float, ...]) -> tuple[Tensor, Tensor]:
        """[n] bin of each number and [n] its place in there; a missing number has a bin of its own, the last."""
        values = torch.from_numpy(column.fill_null(float("nan")).to_numpy().copy())
        at = torch.tensor(edges, dtype=torch.float64)
        bins = (torch.searchsorted(at, values, right=True) - 1).clamp(0, len(edges) - 2)
        places = ((values - at[bins]) / (at[bins + 1] - at[bins])).clamp(0.0, 1.0)
        missing = torch.isnan(values)
        return torch.where(missing, self.most_bins + 1, bins), torch.where(missing, 0.0, places).float()


def _is_word(name: str, kind: pl.DataType) -> bool:
    if kind in (pl.String, pl.Categorical, pl.Enum, pl.Boolean, pl.Null):
        return True
    if kind.is_numeric():
        return False
    raise FrameError(f"column {name} is {kind}, which is neither words nor numbers; cast it or leave it out")


def _finite(frame: pl.DataFrame, names: tuple[str, ...]) -> pl.DataFrame:
    """The frame with those columns as floats, and null for NaN and infinity too."""
    floats = {name: pl.col(name).cast(pl.Float64) for name in names}
    return frame.with_columns(pl.when(value.is_finite()).then(value).alias(name) for name, value in floats.items())


def _edges(column: pl.Series, bins: int) -> tuple[float, ...]:
    """From least to greatest value, at least one bin, at most `bins`: half of them quantiles of the rows, half of the
    distinct values, so that the tail of a column that is mostly zero (money, counts) is seen in detail too."""
    values = column.drop_nulls().to_numpy()
    if not len(values):
        return (0.0, 1.0)
    levels = np.linspace(0, 1, max(bins // 2, 1) + 1)
    edges = np.unique(np.concatenate([np.quantile(part, levels) for part in (values, np.unique(values))]))
    return tuple(edges.tolist()) if len(edges) > 1 else (float(edges[0]), float(edges[0]) + 1.0)
