"""Training: one loop over batches."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from mtl_models.balancing import build_balancing
from mtl_models.batching import some, thin
from mtl_models.interactions import GradientCosines
from mtl_models.model import Entities, JointModel, Rows
from mtl_models.optimiser import Optimiser
from mtl_models.parameter_groups import parameter_groups
from mtl_models.relative_losses import MEASURED_ROWS, Scales, measure, relative_losses
from mtl_models.samples import TaskSamples, concatenate
from mtl_models.schemes import MeanOfRuns, batches, passes_alone, trained_by

# The passes with the validation window added refine, they do not relearn.
FINISH_STEP_SHARE = 0.5
# Candidates without a purchase that are kept of the validation window, as in samples.recommendation.
NEGATIVE_SHARE = 0.25


@dataclass(frozen=True, kw_only=True)
class Epoch:
    """One pass: losses are relative to the baselines', so below 1 beats them. `validation_losses` is by task and
    empty in the finishing passes, which have no rows left to validate on.

    `number` is 0 where a task was trained alone. `left_out` counts the steps in which a task's loss was not finite, and
    `skipped_steps` those in which none was, or the gradient.
    """

    number: int
    training_loss: float
    validation_losses: Mapping[str, float]
    is_best: bool
    rows: int
    seconds: float
    left_out: Mapping[str, int]
    skipped_steps: int

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
    calibrates: bool = True,
) -> Iterator[Epoch]:
    """Train in place, yielding each pass; afterwards the model holds the best averaged weights.

    `scales` are the baselines' losses, `weights` the lambda_j of each task. Stops when `patience` passes brought no
    better validation loss, then makes `finish_epochs` passes with the validation window added. `calibrates`: in
    between, while no weight has seen that window; not for a model whose start has.
    """
    config, alone = model.config, passes_alone(model.config, epochs)
    if alone:
        with model.consistency.off():
            yield from pretrain(model, entities, train, validation, scales=scales, weights=weights, epochs=alone)
    learner = Learner(model, entities, scales, weights, cosines)
    measured = {table: some(rows, MEASURED_ROWS, learner.generator) for table, rows in validation.items()}
    best_loss, best_weights, waited = float("inf"), learner.averaged_weights(), 0

    for number in range(1, epochs - alone + 1):
        passed = learner.learn(train)
        losses = measure(learner.average, entities, measured, scales)
        total = sum(weights[task] * loss for task, loss in losses.items())
        yield Epoch(number=number, validation_losses=losses, is_best=total < best_loss, **passed)
        waited = 0 if total < best_loss else waited + 1
        if total < best_loss:
            best_loss, best_weights = total, learner.averaged_weights()
        if waited > config.patience:
            break

    model.load_state_dict(best_weights)
    if calibrates:
        calibrate(model, entities, measured)
    learner.restart_from(model.state_dict(), config.learning_rate * FINISH_STEP_SHARE)
    everything = {
        table: concatenate([rows, _as_sampled(table, validation[table], learner.generator)])
        for table, rows in train.items()
    }
    for extra in range(1, config.finish_epochs + 1):
        yield Epoch(number=number + extra, validation_losses={}, is_best=True, **learner.learn(everything))
    model.load_state_dict(learner.averaged_weights())


@torch.no_grad()
def calibrate(model: JointModel, entities: Entities, rows: Rows) -> None:
    """Let every head learn how far its predictions are off on rows that the model has not seen."""
    model.eval()
    for task, table in model.tasks_of(rows):
        if len(rows[table]):
            model.head(task).calibrate(model(entities, {table: rows[table]})[task], rows[table])


def pretrain(
    model: JointModel,
    entities: Entities,
    train: Rows,
    validation: Rows,
    *,
    scales: Scales,
    weights: Mapping[str, float],
    epochs: int,
) -> Iterator[Epoch]:
    """Train each task alone from the same start, yielding each pass; afterwards the model holds their mean."""
    runs = MeanOfRuns(model.state_dict())
    for task, table in model.tasks_of(train):
        if not scales.get(task) or not weights[task]:
            continue
        model.load_state_dict(runs.start)
        learner = Learner(model, entities, scales, {other: float(other == task) for other in model.tasks}, None)
        measured = {table: some(validation[table], MEASURED_ROWS, learner.generator)}
        for _ in range(epochs):
            passed = learner.learn({table: train[table]})
            losses = measure(learner.average, entities, measured, {task: scales[task]})
            yield Epoch(number=0, validation_losses=losses, is_best=False, **passed)
        seen = {table: train[table].take(slice(0, model.config.batch_rows))}
        runs.add(trained_by(task, learner.average, entities, seen))
    model.load_state_dict(runs.mean())


class Learner:
    """The model in training, the balancing of its losses, its optimiser, and the average of its weights."""

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
        self.model, self.entities, self.scales, self.cosines = model, entities, scales, cosines
        learned = tuple(task for task in model.tasks if scales.get(task))
        self.balancing = build_balancing(learned, weights, config).to(next(model.parameters()).device)
        self.own = {task: tuple(model.head(task).parameters()) for task in model.tasks}
        self.optimiser = Optimiser(model, parameter_groups(model, self.balancing, self.own), config)
        self.average = self.optimiser.average

    def learn(self, rows: Rows) -> dict[str, Any]:
        """One pass; its mean relative loss, rows and seconds, and what was left out."""
        started, seen, rows_seen, skipped = time.perf_counter(), defaultdict(list), 0, 0
        shared = self.model.sharing.shared_parameters()
        self.model.train()
        for step, batch in enumerate(batches(rows, self.model.config, self.generator)):
            outputs = self.model(self.entities, batch)
            losses = self.balancing.usable(relative_losses(self.model.losses(outputs, batch), self.scales))
            rows_seen += sum(len(part) for part in batch.values())
            if not losses:
                skipped += 1
                continue
            if self.cosines is not None:
                self.cosines.observe(self.model, losses, step)
            total = self.balancing.total(losses, shared, self.own) + self.model.penalty()
            self.optimiser.clear()
            total.backward()
            if not self.optimiser.clip().isfinite():
                skipped += 1
                continue
            self.optimiser.step()
            for task, loss in losses.items():
                seen[task].append(loss.detach())
        self.optimiser.catch_up()
        means = {task: float(torch.stack(values).mean()) for task, values in seen.items()}
        self.balancing.end_epoch(means)
        return {
            "training_loss": sum(means.values()) / len(means) if means else float("nan"),
            "rows": rows_seen,
            "seconds": time.perf_counter() - started,
            "left_out": self.balancing.take_left_out(),
            "skipped_steps": skipped,
        }

    def averaged_weights(self) -> dict[str, Tensor]:
        """A copy of the averaged weights."""
        return {name: tensor.detach().clone() for name, tensor in self.average.state_dict().items()}

    def restart_from(self, weights: dict[str, Tensor], learning_rate: float) -> None:
        """Go on from these weights at another step size."""
        self.optimiser.restart_from(weights, learning_rate)


def _as_sampled(table: str, rows: TaskSamples, generator: torch.Generator) -> TaskSamples:
    """Validation rows as the training rows are sampled: there, most candidates that nobody bought are left out."""
    return thin(rows, "bought_28d", NEGATIVE_SHARE, generator) if table == "recommendation" else rows
