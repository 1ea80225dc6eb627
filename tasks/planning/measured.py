"""Nights that were measured, kept with the application: what `fivefold plan` knows."""

from __future__ import annotations

from importlib import resources

from mtl_models.config import Frozen
from tasks.planning.shop import Shop

FILE = "measured_nights.json"


class StepCost(Frozen):
    """What one step took: processor seconds, seconds by the clock, and the most memory in GiB meanwhile."""

    cpu_s: float
    clock_s: float
    gib: float


class MeasuredNight(Frozen):
    """A first night. `cpu_s` and `clock_s` are of the whole process, steps and what lies between them; `samples` are
    the rows of each sample table by fold; `disk` bytes of what it left behind, by name."""

    shop: Shop
    cpu_s: float
    clock_s: float
    steps: dict[str, StepCost]
    samples: dict[str, dict[str, int]]
    disk: dict[str, int]


class MeasuredNights(Frozen):
    """Nights of several sizes on one machine, with so much memory for the database; how long the machine took for the
    reference work of `speed`; and the processor seconds of a multiplication of the item-item model."""

    machine: str
    measured_on: str
    reference_s: dict[str, float]
    similarity_s: float
    memory_limit_gib: float
    nights: tuple[MeasuredNight, ...]

    @property
    def largest(self) -> MeasuredNight:
        """The night with the most rows."""
        return max(self.nights, key=lambda night: night.shop.rows)


def load_measured() -> MeasuredNights:
    """Those that `benchmarks/bench_plan.py --write` kept."""
    return MeasuredNights.model_validate_json((resources.files("tasks.planning") / FILE).read_text(encoding="utf-8"))
