"""What the model reads: entity tables and task samples, resident as tensors.

A sample row points at the entities it is about (`slots`: the row of the entity table, -1 for none), so that a
user's features are stored once however many products are ranked for the user. Batches are made by indexing; there
is no DataLoader, which costs four times as much on rows as small as these.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import torch
from torch import Tensor

# The entities that a row may be about, in the order in which the trunk sees them.
SLOTS = ("user", "product", "site", "calendar", "history")
ABSENT = -1


@dataclass(frozen=True)
class EntityTable:
    """One row per entity and cut-off: `ids` [rows] (0 is unknown), `categories` [rows, k], `numbers` [rows, f]."""

    ids: Tensor
    categories: Tensor
    numbers: Tensor

    def __len__(self) -> int:
        return len(self.ids)

    def numbers_of(self, rows: Tensor) -> Tensor:
        """[n, f] numbers of rows [n] of the table; for ABSENT those of an average entity, 0."""
        if not len(self):
            return self.numbers.new_zeros(len(rows), self.numbers.shape[1])
        return torch.where(rows[:, None] < 0, 0.0, self.numbers[rows.clamp_min(0)])

    def to(self, device: torch.device) -> EntityTable:
        """The same table on another device."""
        return EntityTable(*(getattr(self, field.name).to(device) for field in fields(self)))


# The table of each slot.
Entities = Mapping[str, EntityTable]


@dataclass(frozen=True, kw_only=True)
class TaskSamples:
    """Rows of one sample table: a whole fold, or a batch of it.

    `slots`: [n] rows of each entity table; `context`: [n, c] scaled context features; `targets`: [n] or [n, k], NaN
    where not observed; `baselines`: what a plain predictor says, in the unit of the target; `inputs`: what a head is
    told beside the features, such as prices; `weights`: [n] how many candidates a row stands for; `groups`: [n] rows
    that belong to one list.
    """

    slots: Mapping[str, Tensor]
    context: Tensor
    targets: Mapping[str, Tensor]
    baselines: Mapping[str, Tensor]
    inputs: Mapping[str, Tensor]
    weights: Tensor
    groups: Tensor

    def __len__(self) -> int:
        return len(self.weights)

    def take(self, index: Tensor | slice) -> TaskSamples:
        """The rows at `index`, in that order."""
        return self._each(lambda tensor: tensor[index])

    def to(self, device: torch.device) -> TaskSamples:
        """The same rows on another device."""
        return self._each(lambda tensor: tensor.to(device))

    def _each(self, change: Callable[[Tensor], Tensor]) -> TaskSamples:
        return combine([self], lambda tensors: change(tensors[0]))


def concatenate(parts: Sequence[TaskSamples]) -> TaskSamples:
    """The rows of all parts, one after the other; groups of different parts stay apart."""
    apart, first_free = [], 0
    for part in parts:
        apart.append(replace(part, groups=part.groups + first_free))
        first_free += int(part.groups.max()) + 1 if len(part) else 0
    return combine(apart, torch.cat)


def combine(parts: Sequence[TaskSamples], change: Callable[[list[Tensor]], Tensor]) -> TaskSamples:
    """Samples whose every tensor is made from the parts' tensors of the same name."""
    combined: dict[str, Any] = {}
    for field in fields(TaskSamples):
        values = [getattr(part, field.name) for part in parts]
        combined[field.name] = (
            change(values)
            if isinstance(values[0], Tensor)
            else {name: change([value[name] for value in values]) for name in values[0]}
        )
    return TaskSamples(**combined)
