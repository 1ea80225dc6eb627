"""What moved one output of a head: integrated gradients on the features, by Captum.

Along the straight line from a row of average features to the row itself, each feature is credited with the change that
it makes on the way (Sundararajan, Taly and Yan, ICML 2017). The credits add up to the difference between both outputs;
what they miss of it says whether the line was cut finely enough.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import cast

import torch
from torch import Tensor
from torch.func import functional_call

from mtl_models.consistency import SOURCE
from mtl_models.encoders import EncoderBank
from mtl_models.heads import TASKS
from mtl_models.model import SHARED, JointModel, branch_of
from mtl_models.preprocess import Scaler
from mtl_models.samples import ABSENT, Entities, EntityTable, TaskSamples

# Points on the line. Rows whose credits miss too much with the first are taken again with the next.
STEPS = (16, 64, 256)
# Rows times points of one pass.
PASS_ROWS = 8192
# What credits may miss: this part of the difference, or this little on the scale of the output.
MOST_RELATIVE_GAP, LEAST_GAP = 0.05, 0.005
# The name under which an entity's id is credited, and the place of a table's own features.
ID, CONTEXT = "id", "context"

# Its slot, or CONTEXT, and its column.
Feature = tuple[str, str]


@dataclass(frozen=True)
class Attributions:
    """Credits `values` [n, features] on the scale of the `output` [n]; `reference` [n] is the output at average numbers
    and unknown words."""

    features: tuple[Feature, ...]
    values: Tensor
    output: Tensor
    reference: Tensor

    @property
    def gap(self) -> Tensor:
        """[n] what the credits miss of the difference between output and reference."""
        return self.output - self.reference - self.values.sum(dim=1)

    @property
    def is_complete(self) -> Tensor:
        """[n] whether the credits add up to the difference within the tolerance."""
        return self.gap.abs() <= (MOST_RELATIVE_GAP * (self.output - self.reference).abs()).clamp_min(LEAST_GAP)


def attribute(model: JointModel, entities: Entities, rows: TaskSamples, task: str, output: str) -> Attributions:
    """Credits for `output` (a raw output [n] of the task's head) of rows of the task's table, in their order.

    A word and an id, where the task sees ids, are credited with all columns of their embedding; a number with its
    indicator of missing values. What a head starts from (its baselines) and what it is told beside the features
    (prices) stays as it is along the line.
    """
    model.eval()
    flat = FlatRows(model, entities, rows, task, output)
    everything = torch.arange(len(rows), device=rows.weights.device)
    with torch.no_grad():
        parts = everything.split(PASS_ROWS)
        ends = torch.cat([flat(flat.matrix[part], part) for part in parts])
        starts = torch.cat([flat(flat.reference.expand(len(part), -1), part) for part in parts])
    found = Attributions(flat.features, flat.matrix.new_zeros(len(rows), len(flat.features)), ends, starts)
    missed = everything
    for steps in STEPS:
        for part in missed.split(PASS_ROWS // steps):
            found.values[part] = flat.credits(part, steps)
        missed = torch.nonzero(~found.is_complete).squeeze(1)
        if not len(missed):
            break
    return found


@dataclass(frozen=True)
class Part:
    """Columns of the matrix that are read together: `values` [n, width], `reference` [1, width], what each column is
    about, and the weights of the model that they stand for (none for numbers)."""

    slot: str
    columns: tuple[str, ...]
    values: Tensor
    reference: Tensor
    weights: tuple[str, ...] = ()


class FlatRows:
    """Rows as one matrix [n, columns] of all that their encoders read, and the model as a function of it.

    Words are looked up, and nothing lies between two of them: the line runs through their vectors. So each row gets
    words of its own, row i the word i + 1, and for the moment the rows' vectors stand for the weights of the embedding;
    word 0 stays the unknown one, which a task that is read (`consistency`) may see in place of an id.
    """

    def __init__(self, model: JointModel, entities: Entities, rows: TaskSamples, task: str, output: str) -> None:
        self.model, self.entities, self.rows, self.task, self.output = model, entities, rows, task, output
        self.table = TASKS[task].table
        self.sees_ids = not any(TASKS[other].is_blind_to_ids for other, _ in model.tasks_of([self.table]))
        self.own = {  # the entity of each row, for the slots that the table has
            slot: _pick(entities[slot], named.clamp_min(0))
            for slot, named in rows.slots.items()
            if len(entities[slot]) and bool((named >= 0).any())
        }
        self.parts = [part for slot in self.own for part in self._parts_of(slot)]
        self.parts.append(_numbers(CONTEXT, model.preprocessing.contexts[self.table], rows.context))
        self.matrix = torch.cat([part.values for part in self.parts], dim=1)
        self.reference = torch.cat([part.reference for part in self.parts], dim=1)
        columns = [(part.slot, column) for part in self.parts for column in part.columns]
        self.features = tuple(dict.fromkeys(columns))
        places = {feature: place for place, feature in enumerate(self.features)}
        self.places = torch.tensor([places[column] for column in columns], device=self.matrix.device)

    def credits(self, index: Tensor, steps: int) -> Tensor:
        """[m, features] for the rows `index` [m]."""
        # Captum brings a plotting library along: seconds that only those who explain should pay.
        from captum.attr import IntegratedGradients

        by_column = IntegratedGradients(self).attribute(
            self.matrix[index],
            self.reference.expand(len(index), -1),
            additional_forward_args=(index,),
            n_steps=steps,
        )
        return by_column.new_zeros(len(index), len(self.features)).index_add(1, self.places, by_column)

    def __call__(self, matrix: Tensor, index: Tensor) -> Tensor:
        """[m] outputs of the rows `index` [m] as if their features were `matrix` [m, columns]."""
        rows, row = self.rows.take(index), torch.arange(len(index), device=index.device)
        word = row + 1
        pieces = matrix.split([len(part.columns) for part in self.parts], dim=1)
        numbers: dict[str, Tensor] = {}
        vectors: dict[str, Tensor] = {}
        for part, piece in zip(self.parts, pieces, strict=True):
            if part.weights:
                vectors |= dict.fromkeys(part.weights, torch.cat([part.reference, piece]))
            else:
                numbers[part.slot] = piece
        entities = dict(self.entities) | {
            slot: EntityTable(
                ids=word if self.sees_ids else table.ids[index],
                categories=word[:, None].expand(-1, table.categories.shape[1]),
                numbers=numbers[slot],
            )
            for slot, table in self.own.items()
        }
        slots = {**rows.slots, **{slot: torch.where(rows.slots[slot] < 0, ABSENT, row) for slot in self.own}}
        moved = replace(rows, slots=slots, context=numbers[CONTEXT])
        return functional_call(self.model, vectors, (entities, {self.table: moved}))[self.task][self.output]

    def _parts_of(self, slot: str) -> Iterator[Part]:
        spec, table = self.model.preprocessing.entities[slot], self.own[slot]
        yield _numbers(slot, spec.numbers, table.numbers)
        if spec.ids.words and self.sees_ids:
            yield from self._words(slot, ID, "ids", table.ids)
        for i, name in enumerate(spec.categories):
            yield from self._words(slot, name, f"categories.{i}", table.categories[:, i])

    def _words(self, slot: str, name: str, embedding: str, words: Tensor) -> Iterator[Part]:
        """A word of each row, in the encoders of the task and in those of a task that it reads. Other branches of the
        table with encoders of their own get the same vectors; they are not looked at."""
        banks = self.model.banks
        own = SHARED if SHARED in banks else branch_of(self.task)
        table_banks = [name for name, bank in banks.items() if self.table in cast(EncoderBank, bank).contexts]
        for bank, filled in {own: table_banks, **{read: [read] for read in self._banks_read()}}.items():
            vectors = self.model.get_parameter(f"banks.{bank}.slots.{slot}.{embedding}.weight").detach()
            weights = tuple(f"banks.{name}.slots.{slot}.{embedding}.weight" for name in filled)
            yield Part(slot, (name,) * vectors.shape[1], vectors[words], vectors[:1], weights)

    def _banks_read(self) -> list[str]:
        """The encoders that the task looks through beside its own."""
        reads = self.task in self.model.consistency.readers
        return [SOURCE] if reads and SHARED not in self.model.banks else []


def _numbers(slot: str, scaler: Scaler, values: Tensor) -> Part:
    """Scaled numbers, whose average is 0, and their indicators of missing values."""
    indicators = [name for name, missing in zip(scaler.names, scaler.is_sometimes_missing, strict=False) if missing]
    return Part(slot, (*scaler.names, *indicators), values, torch.zeros_like(values[:1]))


def _pick(table: EntityTable, rows: Tensor) -> EntityTable:
    return EntityTable(table.ids[rows], table.categories[rows], table.numbers[rows])
