"""What trainings found, one JSON line each, so that a run that was stopped goes on."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from heads.training import Training

# One seed of one way of training: its cost, validation losses and gates.
Found = Mapping
# {way of training: {seed: found}} of one shop.
ByWay = dict[str, dict[int, Found]]
SINGLE, PLACEBO = "single", "placebo"


class Results:
    """A file of lines. A training that is in it for a shop is not made again."""

    def __init__(self, file: Path) -> None:
        self.file = file
        lines = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
        self.lines = [json.loads(line) for line in lines]

    def has(self, shop: str, training: Training) -> bool:
        return any(line["shop"] == shop and line["training"] == asdict(training) for line in self.lines)

    def add(self, shop: str, code: str, training: Training, found: Found) -> None:
        self.lines.append({"shop": shop, "code": code, "training": asdict(training), **found})
        self.file.parent.mkdir(parents=True, exist_ok=True)
        with self.file.open("a", encoding="utf-8") as file:
            file.write(json.dumps(self.lines[-1]) + "\n")

    def shops(self) -> list[str]:
        return list(dict.fromkeys(line["shop"] for line in self.lines))

    def codes(self, shop: str) -> list[str]:
        """Versions of the code that made them."""
        return list(dict.fromkeys(line["code"] for line in self.lines if line["shop"] == shop))

    def of(self, shop: str) -> ByWay:
        """Trainings apart that make one way together (each task alone; each table's placebo) are one; a seed of which
        some are missing is left out."""
        parts: dict[str, dict[int, list[Found]]] = defaultdict(lambda: defaultdict(list))
        for line in self.lines:
            if line["shop"] == shop:
                training = Training(**line["training"])
                way = SINGLE if training.alone else PLACEBO if training.placebo else training.sharing
                parts[way][training.seed].append(line)
        merged = {way: {seed: together(seeds[seed]) for seed in sorted(seeds)} for way, seeds in parts.items()}
        every = max((len(found["gates"]) for seeds in merged.values() for found in seeds.values()), default=0)
        whole = {
            way: {seed: found for seed, found in seeds.items() if len(found["gates"]) == every}
            for way, seeds in merged.items()
        }
        return {way: seeds for way, seeds in whole.items() if seeds}


def together(parts: Sequence[Found]) -> Found:
    """Trainings one after the other as one."""
    return {
        "gates": {name: gate for part in parts for name, gate in part["gates"].items()},
        "validation": {task: loss for part in parts for task, loss in part["validation"].items()},
        "cpu_s": sum(part["cpu_s"] for part in parts),
        "wall_s": sum(part["wall_s"] for part in parts),
        "rows": sum(part["rows"] for part in parts),
        "peak_mib": max(part["peak_mib"] for part in parts),
        "added_mib": max(part["added_mib"] for part in parts),
    }
