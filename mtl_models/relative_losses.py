"""Losses as shares of the baselines' losses: 1 is where every task starts, whatever its unit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from mtl_models.batching import some
from mtl_models.model import JointModel, Rows
from mtl_models.samples import Entities
from mtl_models.team import ALONE, Team

# Rows of one table that are enough to know its loss.
MEASURED_ROWS = 40_000

Scales = dict[str, dict[str, float]]


def start_losses(model: JointModel, entities: Entities, rows: Rows) -> Scales:
    """{task: {target: loss}} of a model before training, which is the loss of the baselines. A target that was
    never observed, or that the baseline predicts perfectly, has no scale and is not learned."""
    generator = torch.Generator().manual_seed(0)
    losses = _measure(
        model, entities, {table: some(part, MEASURED_ROWS, generator) for table, part in rows.items()}, model.tasks
    )
    return {task: {name: value for name, value in targets.items() if value > 1e-9} for task, targets in losses.items()}


def relative_losses(losses: Mapping[str, Mapping[str, Tensor]], scales: Scales) -> dict[str, Tensor]:
    """{task: mean over its targets of loss / baseline's loss}."""
    return {
        task: torch.stack([losses[task][name] / scale for name, scale in targets.items()]).mean()
        for task, targets in scales.items()
        if task in losses and targets
    }


def measure(model: JointModel, entities: Entities, rows: Rows, scales: Scales, team: Team = ALONE) -> dict[str, float]:
    """{task: relative loss} of the rows, without dropout. In a team all have the same rows, and each member measures
    some of the tasks: so a loss is the one that a lone member finds."""
    losses = _measure(model, entities, rows, team.share(list(scales)))
    mine = {
        task: sum(losses[task][name] / scale for name, scale in targets.items()) / len(targets)
        for task, targets in scales.items()
        if task in losses and targets
    }
    return team.join(mine, list(scales))


@torch.inference_mode()
def _measure(model: JointModel, entities: Entities, rows: Rows, tasks: Sequence[str]) -> dict[str, dict[str, float]]:
    model.eval()
    losses = {}
    for task, table in model.tasks_of(rows):
        if task in tasks and len(rows[table]):
            part = {table: rows[table]}
            only = model(entities, part)[task]
            losses[task] = {name: float(value) for name, value in model.head(task).losses(only, part[table]).items()}
    return losses
