"""Training: one loop over joint batches."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import torch
from torch import Tensor
from torch.optim.swa_utils import AveragedModel

from mtl_models.batching import joint_batches, some, thin
from mtl_models.interactions import GradientCosines
from mtl_models.model import Entities, JointModel, Rows
from mtl_models.samples import TaskSamples, concatenate

# Averaged weights follow the trained ones with this memory: they are what is validated and kept, and make a
# decaying step size needless (Izmailov et al. 2018; Morales-Brotons et al. 2024).
AVERAGE_MEMORY = 0.99
GRADIENT_NORM = 1.0
# The passes with the validation window added refine, they do not relearn.
FINISH_STEP_SHARE = 0.2
# Candidates without a purchase that are kept of the validation window, as in samples.recommendation.
NEGATIVE_SHARE = 0.25
# Rows of one table that are enough to know its loss.
MEASURED_ROWS = 40_000

Scales = dict[str, dict[str, float]]


@dataclass(frozen=True, kw_only=True)
class Epoch:
    """One pass: losses are relative to the baselines', so below 1 beats them. `validation_losses` is by task and
    empty in the finishing passes, which have no rows left to validate on."""

    number: int
    training_loss: float
    validation_losses: Mapping[str, float]
    is_best: bool
    rows: int
    seconds: float

    @property
    def validation_loss(self) -> float:
        """Mean over tasks; NaN in a finishing pass."""
        losses = list(self.validation_losses.values())
        return sum(losses) / len(losses) if losses else float("nan")


def fit(
    model: JointModel,
    entities: Entities,
    train: Rows,
    validation: Rows,
    *,
    scales: Scales,
    weights: Mapping[str, float],
    epochs: int,
    cosines: GradientCosines | None = None,
) -> Iterator[Epoch]:
    """Train in place, yielding each pass; afterwards the model holds the best averaged weights.

    `scales` are the baselines' losses, `weights` the lambda_j of each task. Stops when `patience` passes brought no
    better validation loss, then makes `finish_epochs` passes with the validation window added.
    """
    config, learner = model.config, Learner(model, entities, scales, weights, cosines)
    measured = {table: some(rows, MEASURED_ROWS, learner.generator) for table, rows in validation.items()}
    best_loss, best_weights, waited = float("inf"), learner.averaged_weights(), 0

    for number in range(1, epochs + 1):
        passed = learner.learn(train)
        losses = measure(learner.average, entities, measured, scales)
        total = sum(weights[task] * loss for task, loss in losses.items())
        yield Epoch(number=number, validation_losses=losses, is_best=total < best_loss, **passed)
        waited = 0 if total < best_loss else waited + 1
        if total < best_loss:
            best_loss, best_weights = total, learner.averaged_weights()
        if waited > config.patience:
            break

    learner.restart_from(best_weights, config.learning_rate * FINISH_STEP_SHARE)
    everything = {
        table: concatenate([rows, _as_sampled(table, validation[table], learner.generator)])
        for table, rows in train.items()
    }
    for extra in range(1, config.finish_epochs + 1):
        yield Epoch(number=number + extra, validation_losses={}, is_best=True, **learner.learn(everything))
    model.load_state_dict(learner.averaged_weights())


class Learner:
    """The model in training, its optimiser, and the average of its weights."""

    def __init__(
        self,
        model: JointModel,
        entities: Entities,
        scales: Scales,
        weights: Mapping[str, float],
        cosines: GradientCosines | None,
    ) -> None:
        config = model.config
        torch.manual_seed(config.seed)
        self.generator = torch.Generator().manual_seed(config.seed)
        self.model, self.entities, self.scales, self.weights, self.cosines = model, entities, scales, weights, cosines
        self.optimiser = torch.optim.AdamW(
            model.parameters(), lr=config.learning_rate, weight_decay=config.weight_decay
        )
        self.averager = AveragedModel(model, multi_avg_fn=_follow)
        self.average = cast(JointModel, self.averager.module)

    def learn(self, rows: Rows) -> dict[str, Any]:
        """One pass; its mean relative loss, rows and seconds."""
        started, losses_seen, rows_seen = time.perf_counter(), [], 0
        self.model.train()
        for step, batch in enumerate(joint_batches(rows, self.model.config.batch_rows, self.generator)):
            outputs = self.model(self.entities, batch)
            losses = relative_losses(self.model.losses(outputs, batch), self.scales)
            if self.cosines is not None:
                self.cosines.observe(self.model, losses, step)
            loss = torch.stack([self.weights[task] * value for task, value in losses.items()]).sum()
            loss = loss + self.model.sharing.penalty()
            self.optimiser.zero_grad(set_to_none=True)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(self.model.parameters(), GRADIENT_NORM)
            self.optimiser.step()
            self.averager.update_parameters(self.model)
            losses_seen.append(torch.stack(list(losses.values())).mean().detach())
            rows_seen += sum(len(part) for part in batch.values())
        training_loss = float(torch.stack(losses_seen).mean())
        return {"training_loss": training_loss, "rows": rows_seen, "seconds": time.perf_counter() - started}

    def averaged_weights(self) -> dict[str, Tensor]:
        """A copy of the averaged weights."""
        return {name: tensor.detach().clone() for name, tensor in self.average.state_dict().items()}

    def restart_from(self, weights: dict[str, Tensor], learning_rate: float) -> None:
        """Go on from these weights at another step size."""
        self.model.load_state_dict(weights)
        self.average.load_state_dict(weights)
        for group in self.optimiser.param_groups:
            group["lr"] = learning_rate


def start_losses(model: JointModel, entities: Entities, rows: Rows) -> Scales:
    """{task: {target: loss}} of a model before training, which is the loss of the baselines. A target that was
    never observed, or that the baseline predicts perfectly, has no scale and is not learned."""
    generator = torch.Generator().manual_seed(0)
    losses = _measure(model, entities, {table: some(part, MEASURED_ROWS, generator) for table, part in rows.items()})
    return {task: {name: value for name, value in targets.items() if value > 1e-9} for task, targets in losses.items()}


def relative_losses(losses: Mapping[str, Mapping[str, Tensor]], scales: Scales) -> dict[str, Tensor]:
    """{task: mean over its targets of loss / baseline's loss}."""
    return {
        task: torch.stack([losses[task][name] / scale for name, scale in targets.items()]).mean()
        for task, targets in scales.items()
        if task in losses and targets
    }


def measure(model: JointModel, entities: Entities, rows: Rows, scales: Scales) -> dict[str, float]:
    """{task: relative loss} of the rows, without dropout."""
    losses = _measure(model, entities, rows)
    return {
        task: sum(losses[task][name] / scale for name, scale in targets.items()) / len(targets)
        for task, targets in scales.items()
        if task in losses and targets
    }


@torch.inference_mode()
def _measure(model: JointModel, entities: Entities, rows: Rows) -> dict[str, dict[str, float]]:
    model.eval()
    losses = {}
    for task, table in model.tasks_of(rows):
        if len(rows[table]):
            part = {table: rows[table]}
            only = model(entities, part)[task]
            losses[task] = {name: float(value) for name, value in model.head(task).losses(only, part[table]).items()}
    return losses


def _as_sampled(table: str, rows: TaskSamples, generator: torch.Generator) -> TaskSamples:
    """Validation rows as the training rows are sampled: there, most candidates that nobody bought are left out."""
    return thin(rows, "bought_28d", NEGATIVE_SHARE, generator) if table == "recommendation" else rows


@torch.no_grad()
def _follow(averaged: Sequence[Tensor], current: Sequence[Tensor], steps: Tensor | int) -> None:
    """Move the averaged weights towards the trained ones; quickly at first, when the start is all they remember."""
    memory = min(AVERAGE_MEMORY, (1 + int(steps)) / (10 + int(steps)))
    torch._foreach_lerp_(list(averaged), list(current), 1 - memory)
