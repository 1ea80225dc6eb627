"""Which engine carries a night of that size, how many workers it wants, and what gives out first."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from tasks.planning.estimate import Estimate
from tasks.planning.machine import GIB, Machine
from tasks.planning.shop import Shop

# The share of a step's work that the engine `ray` spreads over workers (of the features, the SQL of four files; of the
# training, the passes); everything else is one process beside one database.
DISTRIBUTED = {"build_features": 0.5, "train_model": 0.8, "predict_heads": 1.0}
# Seconds until a cluster on one machine was ready to train.
RAY_START_S = 30.0
# Of the machine's memory, so much is the system's and other programs'.
USABLE_MEMORY = 0.8
# Machines by their GiB of memory and their cores.
COST_CLASSES = ((16, 8, "a laptop"), (64, 16, "a small server"), (256, 64, "a server"), (1024, 192, "a large server"))

EstimateOf = Callable[[Shop], Estimate]


@dataclass(frozen=True, kw_only=True)
class Bound:
    """What a night needs of something beside what there is. `times`: how much larger such a shop can become until it is
    used up; below 1 it does not suffice, 0 when not even for the smallest such shop."""

    of: Literal["time", "memory", "disk"]
    needed: float
    there: float
    unit: str
    times: float


@dataclass(frozen=True, kw_only=True)
class Advice:
    """`engine`: `local`, `ray`, or `none` where neither carries such a night on machines like this one, but for the
    disk, which any of them wants; `workers` of the engine `ray`, else 1. `bounds`: the scarcest first. `cost_class`:
    the smallest kind of machine that has the memory and the cores."""

    engine: Literal["local", "ray", "none"]
    workers: int
    reason: str
    bounds: tuple[Bound, ...]
    core_hours: float
    cost_class: str


def advise(shop: Shop, estimate_of: EstimateOf, machine: Machine, window_s: float) -> Advice:
    """For a night that has `window_s` seconds."""
    whole = estimate_of(shop)
    bounds = sorted(_bounds(shop, estimate_of, machine, window_s), key=lambda bound: bound.times)
    engine, workers, reason = _engine(whole, bounds, machine, window_s)
    return Advice(
        engine=engine,
        workers=workers,
        reason=reason,
        bounds=tuple(bounds),
        core_hours=whole.cpu_s / 3600,
        cost_class=_cost_class(whole, window_s),
    )


def _engine(
    whole: Estimate, bounds: list[Bound], machine: Machine, window_s: float
) -> tuple[Literal["local", "ray", "none"], int, str]:
    short = {bound.of for bound in bounds if bound.times < 1} - {"disk"}
    if not short:
        return "local", 1, "one machine like this carries the night; a cluster would only add its start"
    alone = {step: step.clock_s * (1 - DISTRIBUTED.get(step.step, 0.0)) for step in whole.steps}
    slowest, alone_s = max(alone, key=lambda step: alone[step]), sum(alone.values())
    left_s = window_s - RAY_START_S - alone_s
    if left_s <= 0:
        taken = f"what stays on one machine takes {alone_s / 3600:,.1f} hours"
        return "none", 1, f"{taken}, {slowest.step} the most of it ({alone[slowest] / 3600:,.1f})"
    largest = max((step for step in whole.steps if step.step not in DISTRIBUTED), key=lambda step: step.gib)
    if largest.gib > machine.memory_gib * USABLE_MEMORY:
        return "none", 1, f"{largest.step} stays on one machine and needs {largest.gib:,.0f} GiB of memory"
    spread = {step: DISTRIBUTED[step.step] for step in whole.steps if step.step in DISTRIBUTED}
    for_time = sum(step.cpu_s * share for step, share in spread.items()) / (left_s * machine.cores)
    for_memory = max(step.gib for step in spread) / (machine.memory_gib * USABLE_MEMORY)
    workers = max(math.ceil(for_time), math.ceil(for_memory), 2)
    return "ray", workers, f"one machine has not the {' and '.join(sorted(short))} for it"


def _bounds(shop: Shop, estimate_of: EstimateOf, machine: Machine, window_s: float) -> list[Bound]:
    needs: dict[str, tuple[Callable[[Estimate], float], float, str]] = {
        "time": (lambda whole: whole.clock_s / 3600, window_s / 3600, "hours"),
        "memory": (lambda whole: whole.largest.gib, machine.memory_gib * USABLE_MEMORY, "GiB"),
        "disk": (lambda whole: whole.disk_bytes / GIB, machine.disk_gib, "GiB"),
    }
    whole = estimate_of(shop)
    return [
        Bound(
            of=of,  # type: ignore[arg-type]
            needed=need(whole),
            there=there,
            unit=unit,
            times=_times(shop, lambda larger, need=need: need(estimate_of(larger)), there),  # type: ignore[misc]
        )
        for of, (need, there, unit) in needs.items()
    ]


def _times(shop: Shop, need: Callable[[Shop], float], there: float) -> float:
    """The factor at which the need, which grows with the shop, meets what there is."""
    low, high = 1e-9, 1e6
    if need(shop.times(low)) > there:
        return 0.0
    if need(shop.times(high)) <= there:
        return high
    for _ in range(40):
        middle = math.sqrt(low * high)
        low, high = (middle, high) if need(shop.times(middle)) <= there else (low, middle)
    return low


def _cost_class(whole: Estimate, window_s: float) -> str:
    gib, cores = whole.largest.gib / USABLE_MEMORY, whole.cpu_s / window_s
    named = (name for most_gib, most_cores, name in COST_CLASSES if gib <= most_gib and cores <= most_cores)
    return next(named, "several large servers")
