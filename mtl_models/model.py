"""The joint model, top to bottom.

    entities ─┐
              ├─ encoders ──> rows of ALL tables, one width ──> shared trunk ──> a head per task
    context ──┘

Tables differ in grain (user; user x product; product x site x week; user x campaign), so a row is a fixed set of
entity slots plus context; a slot it lacks is a learned 'none' vector. Minimised is

    L = sum_j lambda_j L_j(head_j(trunk(x)), y_j)        (Caruana 1997; the survey of Zhang and Yang 2021)
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import torch
from torch import Tensor, nn

from mtl_models.config import ModelConfig
from mtl_models.demand_curve import DemandCurve, log_price_ratio
from mtl_models.elasticity import shop_elasticity
from mtl_models.encoders import ContextEncoder, EntityEncoder
from mtl_models.heads import TASKS, Head, Outputs, View
from mtl_models.heads.pricing import has_seen_price
from mtl_models.preprocess import Preprocessing
from mtl_models.samples import SLOTS, EntityTable, TaskSamples
from mtl_models.sharing import build_sharing

Entities = Mapping[str, EntityTable]
Rows = Mapping[str, TaskSamples]


class JointModel(nn.Module):
    """One model for the tasks given; `preprocessing` says how wide everything is."""

    def __init__(self, preprocessing: Preprocessing, config: ModelConfig, tasks: tuple[str, ...]) -> None:
        super().__init__()
        self.preprocessing, self.config, self.tasks = preprocessing, config, tasks
        self.tables = tuple(dict.fromkeys(TASKS[task].table for task in tasks))
        self.encoders = nn.ModuleDict({slot: EntityEncoder(preprocessing.entities[slot], config) for slot in SLOTS})
        self.contexts = nn.ModuleDict(
            {table: ContextEncoder(preprocessing.contexts[table].width, config) for table in self.tables}
        )
        self.sharing = build_sharing((len(SLOTS) + 1) * config.slot_width, self.tables, config)
        self.heads = nn.ModuleDict(
            {task: TASKS[task](self.sharing.width, len(preprocessing.interests)) for task in tasks}
        )
        products = len(preprocessing.entities["product"].ids)
        self.curve = DemandCurve(self.sharing.width, config.slot_width, products) if "demand" in self.tables else None

    def forward(self, entities: Entities, rows: Rows) -> dict[str, Outputs]:
        """{task: outputs} for the rows of any of the model's tables."""
        encoded = {table: self.encode(entities, table, part) for table, part in rows.items()}
        shared = self.sharing(encoded)  # {table: [n_table, width]}
        views = {table: self._view(entities, table, rows[table], encoded[table], shared[table]) for table in rows}
        return {task: self.head(task)(views[table], rows[table]) for task, table in self.tasks_of(rows)}

    def encode(self, entities: Entities, table: str, rows: TaskSamples) -> Tensor:
        """[n, (slots + 1) * slot_width]: each slot's vector, then the context's."""
        is_blind = any(TASKS[task].is_blind_to_ids for task, _ in self.tasks_of([table]))
        parts = [self.encoders[slot](entities[slot], rows.slots[slot], hide_ids=is_blind) for slot in SLOTS]
        return torch.cat([*parts, self.contexts[table](rows.context)], dim=1)

    def losses(self, outputs: Mapping[str, Outputs], rows: Rows) -> dict[str, dict[str, Tensor]]:
        """{task: {target: loss}}, as each head measures it."""
        return {task: self.head(task).losses(outputs[task], rows[table]) for task, table in self.tasks_of(rows)}

    def fit_baselines(self, rows: Rows) -> None:
        """Let every head learn the constants of its baseline; before training, on training rows."""
        with torch.no_grad():
            for task, table in self.tasks_of(rows):
                self.head(task).fit_baseline(rows[table])

    @torch.no_grad()
    def start_demand_curve(self, rows: Rows) -> None:
        """Begin with the shop's elasticity: each product's weeks ahead of one cut-off, compared with each other. Before
        training, on training rows."""
        if self.curve is None or "pricing" not in self.tasks:
            return
        demand = rows["demand"]
        weeks = demand.take(has_seen_price(demand))
        elasticity = shop_elasticity(
            units=weeks.targets["units"],
            expected=weeks.baselines["level"] * weeks.targets["available_ratio"],
            log_ratio=log_price_ratio(weeks.inputs["price"], weeks.inputs["reference_price"]),
            context=weeks.context,
            groups=weeks.slots["product"],
        )
        if elasticity is not None:
            self.curve.start_from(elasticity)

    def head(self, task: str) -> Head:
        """The head of a task."""
        return self.heads[task]  # type: ignore[return-value]

    def tasks_of(self, tables: Iterable[str]) -> list[tuple[str, str]]:
        """(task, table) of every task that learns from one of the tables."""
        return [(task, TASKS[task].table) for task in self.tasks if TASKS[task].table in tables]

    def _view(self, entities: Entities, table: str, rows: TaskSamples, encoded: Tensor, shared: Tensor) -> View:
        if self.curve is None or table != "demand":
            return View(shared)
        first = SLOTS.index("product") * self.config.slot_width
        product = encoded[:, first : first + self.config.slot_width]
        curve = self.curve(shared, product, product_ids(entities, rows), rows.baselines["level"])
        return View(shared, curve)


def product_ids(entities: Entities, rows: TaskSamples) -> Tensor:
    """[n] vocabulary index of each row's product; 0 where it has none or an unknown one."""
    slot = rows.slots["product"]
    return torch.where(slot < 0, 0, entities["product"].ids[slot.clamp_min(0)])
