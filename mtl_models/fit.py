"""Training: one loop over batches."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

import torch
from torch import Tensor

from mtl_models.balancing import build_balancing
from mtl_models.batching import some, thin
from mtl_models.encoders import big_tables
from mtl_models.interactions import GradientCosines
from mtl_models.milestones import Epoch, Milestone, Milestones
from mtl_models.model import JointModel, Rows
from mtl_models.optimiser import Optimiser
from mtl_models.parameter_groups import parameter_groups
from mtl_models.relative_losses import MEASURED_ROWS, Scales, measure, relative_losses
from mtl_models.samples import Entities, TaskSamples, concatenate
from mtl_models.schemes import MeanOfRuns, batches, passes_alone, trained_by
from mtl_models.team import ALONE, Team

# The passes with the validation window added refine, they do not relearn.
FINISH_STEP_SHARE = 0.5
# Candidates without a purchase that are kept of the validation window, as in samples.recommendation.
NEGATIVE_SHARE = 0.25


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
    team: Team = ALONE,
    milestones: Milestones | None = None,
) -> Iterator[Epoch]:
    """Train in place, yielding each pass; afterwards the model holds the best averaged weights.

    `scales` are the baselines' losses, `weights` the lambda_j of each task. Stops when `patience` passes brought no
    better validation loss, then makes `finish_epochs` passes with the validation window added. `calibrates`: in
    between, while no weight has seen that window; not for a model whose start has. In a `team` all start alike, each
    with its share of the rows, and end alike. `milestones`: kept after each pass, and the latest is where training
    goes on; the passes before it are yielded as they were.
    """
    config, alone = model.config, passes_alone(model.config, epochs)
    kept = milestones.latest() if milestones is not None else None
    passes = list(kept.epochs) if kept else []
    if alone and not kept:
        with model.consistency.off():
            run = pretrain(model, entities, train, validation, scales=scales, weights=weights, epochs=alone, team=team)
            for epoch in run:
                passes.append(epoch)
                yield epoch
    learner = Learner(model, entities, scales, weights, cosines, team)
    measured = shared_sample(validation, learner)
    best_loss, best_weights, waited = float("inf"), learner.averaged_weights(), 0
    if kept:
        learner.resume(kept)
        best_loss, best_weights, waited = kept.best_loss, dict(kept.best_weights), kept.waited
        yield from kept.epochs

    number = passes[-1].number if passes else 0
    while number < epochs - alone and waited <= config.patience:
        number += 1
        passed = learner.learn(train)
        losses = measure(learner.average, entities, measured, scales, team)
        total = sum(weights[task] * loss for task, loss in losses.items())
        is_best = total < best_loss
        waited = 0 if is_best else waited + 1
        if is_best:
            best_loss, best_weights = total, learner.averaged_weights()
        passes.append(Epoch(number=number, validation_losses=losses, is_best=is_best, **passed))
        if milestones is not None:
            milestones.keep(learner.milestone(passes, best_loss, waited, best_weights))
        yield passes[-1]

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
    team: Team = ALONE,
) -> Iterator[Epoch]:
    """Train each task alone from the same start, yielding each pass; afterwards the model holds their mean."""
    runs = MeanOfRuns(model.state_dict())
    for task, table in model.tasks_of(train):
        if not scales.get(task) or not weights[task]:
            continue
        model.load_state_dict(runs.start)
        learner = Learner(model, entities, scales, {other: float(other == task) for other in model.tasks}, None, team)
        measured = shared_sample({table: validation[table]}, learner)
        for _ in range(epochs):
            passed = learner.learn({table: train[table]})
            losses = measure(learner.average, entities, measured, {task: scales[task]}, team)
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
        team: Team = ALONE,
    ) -> None:
        config = model.config
        # Members of a team hide other ids and drop other features of their rows.
        torch.manual_seed(config.seed + team.rank)
        self.generator = torch.Generator().manual_seed(config.seed + team.rank)
        self.model, self.entities, self.scales, self.cosines, self.team = model, entities, scales, cosines, team
        learned = tuple(task for task in model.tasks if scales.get(task))
        self.balancing = build_balancing(learned, weights, config).to(next(model.parameters()).device)
        self.balancing.team = team
        self.own = {task: tuple(model.head(task).parameters()) for task in model.tasks}
        self.optimiser = Optimiser(model, parameter_groups(model, self.balancing, self.own), config)
        self.average = self.optimiser.average
        self.big = big_tables(model)
        self.trained = [*self.optimiser.parameters, *self.balancing.parameters()]

    def learn(self, rows: Rows) -> dict[str, Any]:
        """One pass; its mean relative loss, rows and seconds, and what was left out."""
        started, seen, rows_seen, skipped = time.perf_counter(), defaultdict(list), 0, 0
        shared = self.model.sharing.shared_parameters()
        self.model.train()
        for step, batch in enumerate(batches(rows, self.model.config, self.generator, self.team)):
            outputs = self.model(self.entities, batch)
            losses = self.balancing.usable(relative_losses(self.model.losses(outputs, batch), self.scales))
            rows_seen += sum(len(part) for part in batch.values())
            if not losses:
                skipped += 1
                continue
            if self.cosines is not None:
                self.cosines.observe(self.model, losses, step, self.team)
            total = self.balancing.total(losses, shared, self.own) + self.model.penalty()
            self.optimiser.clear()
            total.backward()
            self.team.average_gradients(self.trained, self.big)
            if not self.optimiser.clip().isfinite():
                skipped += 1
                continue
            self.optimiser.step()
            for task, loss in losses.items():
                seen[task].append(loss.detach())
        self.optimiser.catch_up()
        means = self.team.average({task: float(torch.stack(values).mean()) for task, values in seen.items()})
        self.balancing.end_epoch(means)
        return {
            "training_loss": sum(means.values()) / len(means) if means else float("nan"),
            "rows": self.team.total({"rows": rows_seen})["rows"],
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

    def milestone(
        self, passes: list[Epoch], best_loss: float, waited: int, best_weights: dict[str, Tensor]
    ) -> Milestone:
        """Where training stands after these passes."""
        return Milestone(
            epochs=tuple(passes),
            best_loss=best_loss,
            waited=waited,
            weights=self.average.state_dict(),
            best_weights=best_weights,
            balancing=self.balancing.state_dict(),
        )

    def resume(self, at: Milestone) -> None:
        """Go on from there, with a fresh optimiser."""
        self.restart_from(dict(at.weights), self.model.config.learning_rate)
        self.balancing.load_state_dict(dict(at.balancing))


def shared_sample(rows: Rows, learner: Learner) -> Rows:
    """As many rows of each table as are enough to know its loss, the same for all of a team."""
    most = MEASURED_ROWS // learner.team.world
    return {table: learner.team.gather(some(part, most, learner.generator)) for table, part in rows.items()}


def _as_sampled(table: str, rows: TaskSamples, generator: torch.Generator) -> TaskSamples:
    """Validation rows as the training rows are sampled: there, most candidates that nobody bought are left out."""
    return thin(rows, "bought_28d", NEGATIVE_SHARE, generator) if table == "recommendation" else rows
