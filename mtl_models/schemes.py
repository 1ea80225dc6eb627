"""In what order tasks are trained: the batches of a pass, and where joint training starts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

import torch
from torch import Tensor

from mtl_models.batching import joint_batches
from mtl_models.config import ModelConfig
from mtl_models.model import JointModel, Rows
from mtl_models.samples import Entities, TaskSamples
from mtl_models.team import ALONE, Team


def batches(
    rows: Rows, config: ModelConfig, generator: torch.Generator, team: Team = ALONE
) -> Iterator[dict[str, TaskSamples]]:
    """One pass: rows of every table in each step; with `alternating` the same rows, a step for each table in turn (Liu
    et al. 2019, "Multi-Task Deep Neural Networks for Natural Language Understanding")."""
    for batch in joint_batches(rows, config.batch_rows, generator, team):
        if config.scheme == "alternating":
            yield from ({table: part} for table, part in batch.items())
        else:
            yield batch


def passes_alone(config: ModelConfig, epochs: int) -> int:
    """How many of the passes each task has to itself; none when there is only one pass, as on a warm-started night."""
    return int(epochs * config.pretrain_share) if config.scheme == "pretrain_then_joint" else 0


def trained_by(task: str, model: JointModel, entities: Entities, rows: Rows) -> dict[str, Tensor]:
    """{parameter: value} of those that the task's loss depends on, which any rows of its table tell; a penalty of the
    sharing moves others too."""
    loss = torch.stack(list(model.losses(model(entities, rows), rows)[task].values())).sum()
    named = dict(model.named_parameters())
    gradients = torch.autograd.grad(loss, list(named.values()), allow_unused=True)
    return {name: named[name] for name, gradient in zip(named, gradients, strict=True) if gradient is not None}


class MeanOfRuns:
    """The mean of weights that were trained apart from the same start, over the runs that trained each: what one task
    alone trains is as its run left it, what several share is their mean, the rest is as it was."""

    def __init__(self, start: Mapping[str, Tensor]) -> None:
        self.start = {name: tensor.detach().clone() for name, tensor in start.items()}
        self.totals: dict[str, Tensor] = {}
        self.counts: Counter[str] = Counter()

    def add(self, trained: Mapping[str, Tensor]) -> None:
        """One run's trained weights."""
        for name, tensor in trained.items():
            self.totals[name] = self.totals[name] + tensor if name in self.totals else tensor.detach().clone()
            self.counts[name] += 1

    def mean(self) -> dict[str, Tensor]:
        """All weights."""
        return self.start | {name: total / self.counts[name] for name, total in self.totals.items()}
