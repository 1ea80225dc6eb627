"""A training step of each balancing method against the plain sum of the losses: five tasks on shared encoders and one
shared trunk, in CPU seconds, one after the other on the same batch.

Gradient methods look at each task's gradient at the last shared layer only; one ordinary backward pass does the rest.
"""

from __future__ import annotations

import json
import statistics
import time

import torch
from torch import Tensor

from mtl_models.balancing import METHODS, build_balancing
from mtl_models.config import ModelConfig
from mtl_models.model import JointModel
from mtl_models.preprocess import CLIP, EntitySpec, Preprocessing, Scaler, Vocabulary
from mtl_models.samples import SLOTS, EntityTable, TaskSamples

TASKS = ("profile", "recommendation", "promotion", "supply", "service_orders")
# About what a batch of 4096 rows of The Complete Journey holds.
BATCH = {"profile": 500, "recommendation": 1500, "promotion": 400, "demand": 1200, "service_orders": 496}
ENTITIES = {"user": 2_500, "product": 20_000, "site": 0, "calendar": 60, "history": 20_000}
NUMBERS, CONTEXT, INTERESTS = 30, 6, tuple("abcdefgh")
WARM_UP, ROUNDS = 5, 40


def preprocessing() -> Preprocessing:
    return Preprocessing(
        entities={
            slot: EntitySpec(
                ids=Vocabulary(words=tuple(f"{slot} {i}" for i in range(ENTITIES[slot]))),
                categories={"category": Vocabulary(words=tuple(f"category {i}" for i in range(40)))},
                numbers=scaler(NUMBERS),
            )
            for slot in SLOTS
        },
        contexts={table: scaler(CONTEXT) for table in BATCH},
        interests=INTERESTS,
    )


def scaler(width: int) -> Scaler:
    return Scaler(
        names=tuple(f"number {i}" for i in range(width)),
        lowest=(-CLIP,) * width,
        highest=(CLIP,) * width,
        is_log=(False,) * width,
        mean=(0.0,) * width,
        scale=(1.0,) * width,
        is_sometimes_missing=(False,) * width,
    )


def entity_table(rows: int) -> EntityTable:
    return EntityTable(
        ids=torch.arange(rows) + 1, categories=torch.randint(1, 41, (rows, 1)), numbers=torch.randn(rows, NUMBERS)
    )


def samples(rows: int, slots: tuple[str, ...], values: dict[str, Tensor], shares: Tensor) -> TaskSamples:
    """Every value serves as target, baseline and input: what is learned matters here as little as from what."""
    return TaskSamples(
        slots={s: torch.randint(0, ENTITIES[s], (rows,)) if s in slots else torch.full((rows,), -1) for s in SLOTS},
        context=torch.randn(rows, CONTEXT),
        targets=values | {"category_shares": shares},
        baselines=values | {"category_shares": shares, "category_shares_smoothed": shares},
        inputs=values,
        weights=torch.ones(rows),
        groups=torch.arange(rows) // 20,
    )


def batch() -> dict[str, TaskSamples]:
    positive = ("spend_28d", "spend_last_28d", "units", "units_sold", "level", "price", "reference_price", "list_price")
    positive += ("mean_price_assumed", "popularity", "personal", *(f"units_13w_p{p}" for p in (10, 50, 90, 95)))
    binary = ("buys_28d", "buys_7d", "churns_90d", "discount_share_28d", "contacts_28d", "bought_28d", "is_new")
    binary += ("redeemed", "ordered", "is_offered", "contacted", "returned", "is_priced", "is_price_seen")
    slots = {
        "profile": ("user",),
        "recommendation": ("user", "product"),
        "promotion": ("user",),
        "demand": ("product", "calendar", "history"),
        "service_orders": ("user", "product"),
    }
    rows = {}
    for table, count in BATCH.items():
        values = {name: torch.rand(count) + 0.5 for name in positive}
        values |= {name: (torch.rand(count) < 0.4).float() for name in binary} | {"available_ratio": torch.ones(count)}
        shares = torch.softmax(torch.randn(count, len(INTERESTS)), dim=1)
        rows[table] = samples(count, slots[table], values, shares)
    return rows


class Training:
    """A model of its own for each method, so that all take the same steps from the same start."""

    def __init__(self, name: str | None, rows: dict[str, TaskSamples], entities: dict[str, EntityTable]) -> None:
        torch.manual_seed(0)
        config = ModelConfig(balancing=name or "fixed")
        self.rows, self.entities = rows, entities
        self.model = JointModel(preprocessing(), config, TASKS)
        self.model.fit_baselines(rows)
        self.balancing = build_balancing(TASKS, dict.fromkeys(TASKS, 1.0), config) if name else None
        parameters = [*self.model.parameters(), *(self.balancing.parameters() if self.balancing else ())]
        self.optimiser = torch.optim.AdamW(parameters, lr=config.learning_rate)
        self.own = {task: tuple(self.model.head(task).parameters()) for task in TASKS}

    def step(self) -> float:
        """CPU seconds of one step."""
        started = time.process_time()
        outputs = self.model(self.entities, self.rows)
        losses = {
            task: torch.stack(list(parts.values())).mean()
            for task, parts in self.model.losses(outputs, self.rows).items()
        }
        if self.balancing is None:
            total = torch.stack(list(losses.values())).sum()
        else:
            shared = self.model.sharing.shared_parameters()
            total = self.balancing.total(self.balancing.usable(losses), shared, self.own)
        self.optimiser.zero_grad(set_to_none=True)
        total.backward()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self.optimiser.step()
        return time.process_time() - started


def main() -> None:
    torch.set_num_threads(1)
    torch.manual_seed(0)
    rows, entities = batch(), {slot: entity_table(count) for slot, count in ENTITIES.items()}
    trainings = {name or "plain sum": Training(name, rows, entities) for name in (None, *METHODS)}
    seconds: dict[str, list[float]] = {name: [] for name in trainings}
    for number in range(WARM_UP + ROUNDS):
        for name, training in trainings.items():
            taken = training.step()
            if number >= WARM_UP:
                seconds[name].append(taken)
    medians = {name: statistics.median(times) for name, times in seconds.items()}
    ratios = {name: median / medians["plain sum"] for name, median in medians.items()}
    print(f"{'balancing, 5 tasks, 4096 rows':<34}{'CPU ms':>9}{'ratio':>8}")
    for name, median in medians.items():
        print(f"{name:<34}{median * 1e3:>9.1f}{ratios[name]:>8.2f}")
    print(
        json.dumps(
            {
                "benchmark": "balancing",
                "tasks": len(TASKS),
                "rows": sum(BATCH.values()),
                "plain_ms": round(medians["plain sum"] * 1e3, 2),
                "ratios": {name: round(ratio, 2) for name, ratio in ratios.items() if name != "plain sum"},
            }
        )
    )


if __name__ == "__main__":
    main()
