"""The joint model, top to bottom.

    entities ─┐
              ├─ encoders ──> rows of ALL tables, one width ──> sharing ──> features per branch ──> a head per task
    context ──┘

Tables differ in grain (user; user x product; product x site x week; user x campaign), so a row is a fixed set of
entity slots plus context; a slot it lacks is a learned 'none' vector. A branch is what has features of its own: each
task, but pricing and supply read one, for demand has one curve. Minimised is

    L = sum_j lambda_j L_j(head_j(features_j(x)), y_j) + Omega      (Caruana 1997; the survey of Zhang and Yang 2021)
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import chain, islice

import torch
from torch import Tensor, nn

from mtl_models.config import ModelConfig
from mtl_models.consistency import SOURCE, Consistency, Questions
from mtl_models.demand_curve import DemandCurve
from mtl_models.elasticity import Spells
from mtl_models.encoders import EncoderBank
from mtl_models.heads import TASKS, Head, Outputs, View
from mtl_models.precision import autocast
from mtl_models.preprocess import Preprocessing
from mtl_models.samples import SLOTS, Entities, TaskSamples
from mtl_models.sharing import ARCHITECTURES, build_sharing

Rows = Mapping[str, TaskSamples]

# The name of the encoders where all branches read the same.
SHARED = "shared"
# The branch that has the demand curve.
DEMAND = "demand"


class JointModel(nn.Module):
    """One model for the tasks given; `preprocessing` says how wide everything is."""

    def __init__(self, preprocessing: Preprocessing, config: ModelConfig, tasks: tuple[str, ...]) -> None:
        super().__init__()
        self.preprocessing, self.config, self.tasks = preprocessing, config, tasks
        self.tables = tuple(dict.fromkeys(TASKS[task].table for task in tasks))
        self.branches = {branch_of(task): TASKS[task].table for task in tasks}
        shares = ARCHITECTURES[config.sharing].shares_encoders
        banks = {SHARED: self.tables} if shares else {branch: (table,) for branch, table in self.branches.items()}
        blind = {TASKS[task].table for task in tasks if TASKS[task].is_blind_to_ids}
        self.banks = nn.ModuleDict(
            {name: EncoderBank(preprocessing, read, blind, config) for name, read in banks.items()}
        )
        # The rows that a branch reads: a table's, as the shared encoders see them or as its own do.
        self.sources = {branch: table if shares else branch for branch, table in self.branches.items()}
        self.sharing = build_sharing((len(SLOTS) + 1) * config.slot_width, self.sources, config)
        self.heads = nn.ModuleDict(
            {task: TASKS[task](self.sharing.width, len(preprocessing.interests)) for task in tasks}
        )
        for task, table in self.tasks_of(preprocessing.contexts):
            self.head(task).lay_out(preprocessing.contexts[table], preprocessing.entities["user"].numbers)
        products = len(preprocessing.entities["product"].ids)
        self.curve = DemandCurve(self.sharing.width, config.slot_width, products) if DEMAND in self.branches else None
        self.consistency = Consistency(config.consistency, tasks, preprocessing)

    def forward(self, entities: Entities, rows: Rows) -> dict[str, Outputs]:
        """{task: outputs} for the rows of any of the model's tables."""
        questions = self.consistency.ask(rows)  # about the users of rows whose tasks read profile; as a rule none
        with autocast(next(self.parameters()).device):
            encoded = self.encode(entities, rows, questions)
            features = self.sharing(encoded)  # {branch: [n, width]}, the questions last
        encoded, features = _in_full(encoded), _in_full(features)
        seen = {
            branch: self._view(entities, branch, rows[self.branches[branch]], encoded[self.sources[branch]], shared)
            for branch, shared in features.items()
            if self.branches[branch] in rows
        }
        views = {task: self.consistency.view(task, seen[branch_of(task)]) for task, _ in self.tasks_of(rows)}
        outputs = {task: self.head(task)(views[task], rows[table]) for task, table in self.tasks_of(rows)}
        return self.consistency(self.heads, views, outputs, questions, features.get(SOURCE))

    def encode(self, entities: Entities, rows: Rows, questions: Questions | None = None) -> dict[str, Tensor]:
        """{source: [n, (slots + 1) * slot_width]} its rows as sharing reads them, the questions last."""
        read = {
            self.sources[branch]: [(table, rows[table])] for branch, table in self.branches.items() if table in rows
        }
        if questions is not None:
            read.setdefault(self.sources[SOURCE], []).append((self.branches[SOURCE], questions.rows))
        if SHARED not in self.banks:
            return {source: _in_one(self.banks[source](entities, parts)) for source, parts in read.items()}
        encoded = iter(self.banks[SHARED](entities, list(chain.from_iterable(read.values()))))
        return {source: _in_one(tuple(islice(encoded, len(parts)))) for source, parts in read.items()}

    def losses(self, outputs: Mapping[str, Outputs], rows: Rows) -> dict[str, dict[str, Tensor]]:
        """{task: {target: loss}}, as each head measures it."""
        return {task: self.head(task).losses(outputs[task], rows[table]) for task, table in self.tasks_of(rows)}

    def penalty(self) -> Tensor:
        """Omega of the latest pass in training, a scalar: of how tasks share, and of tasks that read tasks."""
        return self.sharing.penalty() + self.consistency.penalty()

    def fit_baselines(self, entities: Entities, rows: Rows) -> None:
        """Let every head learn the constants of its baseline; before training, on training rows."""
        with torch.no_grad():
            for task, table in self.tasks_of(rows):
                self.head(task).fit_baseline(rows[table], entities)

    def start_demand_curve(self, spells: Spells) -> None:
        """Begin with the elasticities that prices show; before training, on spells of the training window."""
        if self.curve is not None and "pricing" in self.tasks:
            self.curve.start(spells)

    def head(self, task: str) -> Head:
        """The head of a task."""
        return self.heads[task]  # type: ignore[return-value]

    def tasks_of(self, tables: Iterable[str]) -> list[tuple[str, str]]:
        """(task, table) of every task that learns from one of the tables."""
        return [(task, TASKS[task].table) for task in self.tasks if TASKS[task].table in tables]

    def _view(self, entities: Entities, branch: str, rows: TaskSamples, encoded: Tensor, shared: Tensor) -> View:
        if self.curve is None or branch != DEMAND:
            return View(shared[: len(rows)], entities)
        first = SLOTS.index("product") * self.config.slot_width
        product = encoded[:, first : first + self.config.slot_width]
        curve = self.curve(shared, product, product_ids(entities, rows), rows.baselines["level"])
        return View(shared, entities, curve)


def _in_one(parts: tuple[Tensor, ...]) -> Tensor:
    """[rows of all parts, width]."""
    return torch.cat(parts) if len(parts) > 1 else parts[0]


def _in_full(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """As they are, but those of fewer bits as float32."""
    return {name: tensor.float() if tensor.dtype == torch.bfloat16 else tensor for name, tensor in tensors.items()}


def branch_of(task: str) -> str:
    """The branch whose features a task's head reads."""
    return TASKS[task].branch or task


def product_ids(entities: Entities, rows: TaskSamples) -> Tensor:
    """[n] vocabulary index of each row's product; 0 where it has none or an unknown one."""
    slot = rows.slots["product"]
    return torch.where(slot < 0, 0, entities["product"].ids[slot.clamp_min(0)])
