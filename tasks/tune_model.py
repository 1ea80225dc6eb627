"""One trial: settings, trained for few passes from each origin, and what came of it on the windows that followed."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

import duckdb

from mtl_models.config import ModelConfig
from mtl_models.fit import fit
from mtl_models.heads import weight_name
from tasks.lesson import tables_of
from tasks.night import Night
from tasks.priorities import loss_weights, read_priorities
from tasks.progress import report
from tasks.rolling_origins import Origin, read_origins

# Most of what a night's passes learn is learned in the first.
TRIAL_EPOCHS = 3

Losses = dict[str, float]


@dataclass(frozen=True, kw_only=True)
class Pass:
    """A pass of a trial: the `epoch`-th of at most `epochs` from the origin of the `window`-th of `windows` to validate
    on. `losses` are relative, by task: at the window's best pass so far, mean over the windows so far; `is_best` if
    that is this pass.
    """

    window: int
    windows: int
    epoch: int
    epochs: int
    losses: Losses
    is_best: bool

    @property
    def number(self) -> int:
        """Its number over all windows, as if none before had stopped early."""
        return (self.window - 1) * self.epochs + self.epoch

    @property
    def share(self) -> float:
        """How much of the trial is done with it, 0 to 1."""
        return self.number / (self.windows * self.epochs)

    def __str__(self) -> str:
        return f"window {self.window}/{self.windows}, pass {self.epoch}/{self.epochs}"


@dataclass(frozen=True)
class Bench:
    """What all trials are judged by: the origins, newest first, and what the business says of each head."""

    origins: tuple[Origin, ...]
    priorities: Mapping[str, float]

    def value(self, losses: Losses) -> float:
        """The mean over heads of their relative loss, by their priorities: 1 is as good as the baselines. Weights of
        losses are among what is tuned, so they do not count here."""
        heads = by_head(losses)
        says = {head: self.priorities.get(head, 1.0) for head in heads}
        if not sum(says.values()):
            says = dict.fromkeys(heads, 1.0)
        return sum(says[head] * loss for head, loss in heads.items()) / sum(says.values())


def read_bench(con: duckdb.DuckDBPyConnection, night: Night) -> Bench:
    """Samples of the night whose features are built, as tensors. Raises GateStopped when no task can learn."""
    origins = read_origins(con, night.model, night.features.horizon_days)
    return Bench(origins, read_priorities(con, night.as_of_date))


def by_head(losses: Losses) -> Losses:
    """{head: mean loss of its tasks}."""
    heads: dict[str, list[float]] = {}
    for task, loss in losses.items():
        heads.setdefault(weight_name(task), []).append(loss)
    return {head: fmean(values) for head, values in heads.items()}


def try_settings(bench: Bench, config: ModelConfig, without: str | None = None) -> Iterator[Pass]:
    """Train from each origin, yielding after each pass. `without` leaves out a task.

    Raises FloatingPointError where no pass of an origin had a finite loss.
    """
    cheap = config.model_copy(update={"max_epochs": min(config.max_epochs, TRIAL_EPOCHS), "finish_epochs": 0})
    origins = [origin for origin in bench.origins if set(origin.tasks) - {without}]
    measured: list[Losses] = []
    for window, origin in enumerate(origins, 1):
        best: Losses = {}
        for epoch, losses in _passes(bench, origin, cheap, without):
            best = losses or best
            if best:
                yield Pass(
                    window=window,
                    windows=len(origins),
                    epoch=epoch,
                    epochs=cheap.max_epochs,
                    losses=_means([*measured, best]),
                    is_best=bool(losses),
                )
        if not best:
            raise FloatingPointError("no pass had a finite loss on the window to validate on")
        measured.append(best)


def final_losses(bench: Bench, config: ModelConfig, without: str | None = None) -> Losses:
    """What `try_settings` says at its end; its passes are reported on the way."""
    tasks, losses = f"without {without}" if without else "all tasks", Losses()
    for seen in try_settings(bench, config, without):
        report(f"{tasks}, {in_words(seen)}", seen.share)
        losses = seen.losses
    return losses


def in_words(seen: Pass) -> str:
    """A pass with the losses that its heads have by then."""
    heads = ", ".join(f"{head} {loss:.3f}" for head, loss in by_head(seen.losses).items())
    return f"{seen}: {heads if seen.is_best else 'no better'}"


def _passes(bench: Bench, origin: Origin, config: ModelConfig, without: str | None) -> Iterator[tuple[int, Losses]]:
    """(number, losses if it is the best so far) of each pass of joint training."""
    tasks = tuple(task for task in origin.tasks if task != without)
    model, scales = origin.lesson.start(config, tasks)
    train, validation = (
        {table: rows[table] for table in tables_of(tasks)} for rows in (origin.lesson.train, origin.lesson.validation)
    )
    weights = loss_weights(config, bench.priorities, tasks)
    passes = fit(
        model,
        origin.lesson.entities,
        train,
        validation,
        scales=scales,
        weights=weights,
        epochs=config.max_epochs,
    )
    for epoch in passes:
        if epoch.number:
            is_best = epoch.is_best and math.isfinite(sum(epoch.validation_losses.values()))
            yield epoch.number, dict(epoch.validation_losses) if is_best else {}


def _means(parts: Sequence[Losses]) -> Losses:
    tasks = dict.fromkeys(task for part in parts for task in part)
    return {task: fmean(part[task] for part in parts if task in part) for task in tasks}
