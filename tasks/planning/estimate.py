"""What a night takes, step by step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tasks.planning.amounts import Amounts, Limits, amounts
from tasks.planning.fitting import fit_costs, fit_filling
from tasks.planning.machine import GIB
from tasks.planning.measured import MeasuredNight, MeasuredNights, StepCost
from tasks.planning.shop import Shop

# The work of the process that belongs to no step: its start, its end, and writing the warehouse anew where users were
# erased.
BETWEEN = "start and end"
# What the time of each step grows with.
WORK = {
    "ingest_feeds": "rows",
    "validate_feeds": "rows",
    "build_features": "described",
    "train_model": "learned",
    "evaluate_heads": "tested",
    "predict_heads": "served",
    "measure_drift": "tested",
    "decide_actions": "served",
    "check_consistency": "served",
    "measure_experiments": "served",
    "explain_decisions": "served",
    "record_outcomes": "served",
    "publish_release": "served",
    "write_report": "served",
    BETWEEN: "rows",
}
# Steps whose time is the network's; that of all others is the database's.
MODEL_STEPS = ("train_model", "evaluate_heads", "predict_heads", "measure_drift", "explain_decisions")
DATABASE = tuple(step for step in WORK if step not in MODEL_STEPS)
# Bytes that a step holds of something beside the database, however much there is of it: who bought what, for the
# item-item model; and rows as tensors, whose number `model.most_rows` bounds. The rest is the process and its database,
# which spills beyond its limit.
HELD = {
    "build_features": ("order_lines", 40.0),
    "train_model": ("learned", 500.0),
    "evaluate_heads": ("tested", 500.0),
    "predict_heads": ("served_at_once", 500.0),
}
# What grows on disk with what. `meanwhile`: spilled memory, the warehouse before it is written anew, and the new one.
DISK = {"feeds as landed": "rows", "warehouse": "rows", "published, each night": "served", "meanwhile": "rows"}


@dataclass(frozen=True, kw_only=True)
class StepEstimate:
    """Seconds of processor and by the clock, and the most memory in GiB; `gib_per_million_users` is what a million more
    of such users add to it."""

    step: str
    cpu_s: float
    clock_s: float
    gib: float
    gib_per_million_users: float


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """A first night: its steps, and `disk` in bytes by name."""

    shop: Shop
    steps: tuple[StepEstimate, ...]
    disk: dict[str, float]

    @property
    def cpu_s(self) -> float:
        """Processor seconds of the night."""
        return sum(step.cpu_s for step in self.steps)

    @property
    def clock_s(self) -> float:
        """Seconds of the night by the clock."""
        return sum(step.clock_s for step in self.steps)

    @property
    def largest(self) -> StepEstimate:
        """The step that needs the most memory."""
        return max(self.steps, key=lambda step: step.gib)

    @property
    def disk_bytes(self) -> float:
        """The most that lies in the home at once, with one release."""
        return sum(self.disk.values())


@dataclass(frozen=True, kw_only=True)
class Pace:
    """How many times as long this machine takes, by kind of step: `database` or `model`."""

    database: float = 1.0
    model: float = 1.0

    def of(self, step: str) -> float:
        """That of the step's kind."""
        return self.model if step in MODEL_STEPS else self.database


def estimate(shop: Shop, measured: MeasuredNights, limits: Limits, memory_limit_gib: float, pace: Pace) -> Estimate:
    """A first night of the shop: costs as they grew over the nights that were measured, at this machine's pace."""
    wanted = amounts(shop, measured.largest, limits)
    per_user = 1_000_000 / shop.users
    more = amounts(shop.times(1 + per_user), measured.largest, limits)
    memory_limits = (measured.memory_limit_gib, memory_limit_gib)
    known = [amounts(night.shop, measured.largest, limits) for night in measured.nights]
    steps = []
    for step, kind in WORK.items():
        costs = [_cost(night, step) for night in measured.nights]
        apart = [_apart(step, measured, amount) for amount in known]
        grown = [max(cost.cpu_s - seconds, 0.0) for cost, seconds in zip(costs, apart, strict=True)]
        start, each = fit_costs(grown, [amount[kind] for amount in known])
        cpu_s = start + each * wanted[kind] + _apart(step, measured, wanted)
        # Below one core, other programs had the processor.
        cores = max(sum(cost.cpu_s for cost in costs) / max(sum(cost.clock_s for cost in costs), 1e-9), 1.0)
        gib, gib_then = (
            _gib(step, [cost.gib for cost in costs], known, amount, memory_limits) for amount in (wanted, more)
        )
        steps.append(
            StepEstimate(
                step=step,
                cpu_s=cpu_s * pace.of(step),
                clock_s=cpu_s * pace.of(step) / cores,
                gib=gib,
                gib_per_million_users=gib_then - gib,
            )
        )
    disk = {name: _bytes(name, kind, measured, known, wanted) for name, kind in DISK.items()}
    return Estimate(shop=shop, steps=tuple(steps), disk=disk)


def _cost(night: MeasuredNight, step: str) -> StepCost:
    """Of a step; between them lies what is left of the whole."""
    if step != BETWEEN:
        return night.steps[step]
    steps = night.steps.values()
    return StepCost(
        cpu_s=max(night.cpu_s - sum(cost.cpu_s for cost in steps), 0.0),
        clock_s=max(night.clock_s - sum(cost.clock_s for cost in steps), 0.0),
        gib=0.0,
    )


def _apart(step: str, measured: MeasuredNights, amount: Amounts) -> float:
    """Processor seconds of the item-item model, which grow unlike anything else."""
    return measured.similarity_s * amount["similarity"] if step == "build_features" else 0.0


def _gib(
    step: str, seen: Sequence[float], known: Sequence[Amounts], wanted: Amounts, limits: tuple[float, float]
) -> float:
    """The most memory of a step that took so much in the nights whose amounts are known. From some number of rows on
    the database had filled its limit, the first of the two; now it is the second."""
    if step == BETWEEN:
        return 0.0
    limit_then, limit_now = limits
    held, each = HELD.get(step, ("rows", 0.0))
    besides = [gib - each * amount[held] / GIB for gib, amount in zip(seen, known, strict=True)]
    rows = [amount["rows"] for amount in known]
    start, more, full = fit_filling(besides, rows)
    if full == max(rows) and more:  # nothing was full yet
        full = max(full, limit_then / more)
    return start + more * min(wanted["rows"], full * limit_now / limit_then) + each * wanted[held] / GIB


def _bytes(name: str, kind: str, measured: MeasuredNights, known: Sequence[Amounts], wanted: Amounts) -> float:
    """Of what lies on the disk; not in every night did somebody watch what did only meanwhile."""
    pairs = [
        (night.disk[name], amount[kind])
        for night, amount in zip(measured.nights, known, strict=True)
        if name in night.disk
    ]
    start, each = fit_costs([size for size, _ in pairs], [amount for _, amount in pairs])
    return start + each * wanted[kind]
