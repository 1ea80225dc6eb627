"""Train the joint model on everything known before the measured window."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import date, timedelta

import duckdb

from mtl_models import checkpoint, warm_start
from mtl_models.fit import Epoch
from mtl_models.interactions import GradientCosines
from mtl_models.model import JointModel
from mtl_models.predict import settle_elasticities
from mtl_models.preprocess import Preprocessing
from mtl_models.relative_losses import Scales, measure
from mtl_models.samples import concatenate
from mtl_models.warm_start import Taken
from tasks.earlier_model import Earlier, load_earlier
from tasks.engine import engine_of
from tasks.engine.course import Course
from tasks.gates import GateStopped
from tasks.lesson import Lesson, device_of, make_lesson, tables_of
from tasks.night import Night
from tasks.priorities import loss_weights, read_priorities
from tasks.progress import report
from tasks.read_samples import fit_preprocessing, read_frames
from tasks.readiness import check_readiness
from tasks.row_limits import Choice
from tasks.write_interactions import write_interactions
from warehouse import build, diary

# An earlier model whose loss is that many times the baseline's, or no number, is no start.
RUN_AWAY = 10.0


@dataclass(frozen=True)
class TrainingReport:
    """What was learned, from how much, at what cost. `not_ready`: tasks that had nothing to learn from, and why.
    `choice`: which rows were read where they are many. `taken`: what was copied from the model that training started
    from."""

    model_version: str
    tasks: tuple[str, ...]
    not_ready: dict[str, str]
    epochs: tuple[Epoch, ...]
    training_rows: int
    choice: Choice
    rows_per_second: float
    seconds: float
    warm_started_from: str | None
    taken: Taken | None

    def __str__(self) -> str:
        start = f" on top of {self.warm_started_from} ({self.taken})" if self.warm_started_from else ""
        speed = f"{self.training_rows:,} rows, {len(self.epochs)} epochs, {self.rows_per_second:,.0f} rows/s"
        chosen = f"; {self.choice}" if self.choice.shares else ""
        return f"{', '.join(self.tasks)} from {speed}{chosen}{start}"


def train_model(con: duckdb.DuckDBPyConnection, night: Night) -> TrainingReport:
    """Train, keep the model in the night's folder and how its tasks share in `ops`.

    No label of a day inside the measured window is read. Raises GateStopped when no task can learn.
    """
    started = time.perf_counter()
    readiness = check_readiness(con)
    if not readiness.tasks:
        reasons = "; ".join(f"{task}: {reason}" for task, reason in readiness.not_ready.items())
        raise GateStopped(
            "model", f"no head can learn ({reasons}).", "load more history of users, products and orders."
        )

    report("reading samples")
    label_end = night.as_of_date - timedelta(days=night.features.horizon_days)
    lesson, earlier = _prepare(con, night, readiness.tasks, label_end)
    model, scales, taken = _start(lesson, night, readiness.tasks, earlier)
    earlier = earlier if taken else None
    knows_shop = earlier is not None and earlier.is_same_shop
    # Another shop's model is a better start than none, but has everything of this shop still to learn.
    has_little_to_learn = knows_shop and taken is not None and not taken.new_features
    most = night.model.warm_max_epochs if has_little_to_learn else night.model.max_epochs
    course = Course(
        model=model,
        entities=lesson.entities,
        train=lesson.train,
        validation=lesson.validation,
        scales=scales,
        weights=loss_weights(night.model, read_priorities(con, night.as_of_date), readiness.tasks),
        epochs=most,
        calibrates=not knows_shop,
        cosines=GradientCosines(),
    )
    epochs = []
    with engine_of(night) as engine:
        for epoch in engine.train(con, course):
            epochs.append(epoch)
            report(_describe(epoch), min(epoch.number / (most + night.model.finish_epochs), 1.0))
    if lesson.spells is not None:
        demand = concatenate([lesson.train["demand"], lesson.validation["demand"]])
        settle_elasticities(model, lesson.entities, demand, lesson.spells)

    saved = checkpoint.save(
        night.model_folder,
        model,
        run_id=night.run_id,
        as_of_date=night.as_of_date,
        label_end_date=label_end,
        features_version=build.version(),
        source=night.source,
    )
    diary.record_model(con, night.run_id, checkpoint.hash_of(night.model_folder))
    write_interactions(con, night, model, course.cosines.means(), lesson.entities, lesson.validation)
    return TrainingReport(
        model_version=saved.model_version,
        tasks=readiness.tasks,
        not_ready=readiness.not_ready,
        epochs=tuple(epochs),
        training_rows=sum(len(rows) for rows in lesson.train.values()),
        choice=lesson.choice,
        rows_per_second=sum(epoch.rows for epoch in epochs) / max(sum(epoch.seconds for epoch in epochs), 1e-9),
        seconds=time.perf_counter() - started,
        warm_started_from=earlier.saved.model_version if earlier else None,
        taken=taken,
    )


def _prepare(
    con: duckdb.DuckDBPyConnection, night: Night, tasks: tuple[str, ...], label_end: date
) -> tuple[Lesson, Earlier | None]:
    """The lesson, and the earlier model to start from, if any."""
    frames = read_frames(
        con, tables_of(tasks), ("train", "validation"), label_end_date=label_end, most_rows=night.model.most_rows
    )
    preprocessing = fit_preprocessing(frames)
    earlier = _earlier_model(con, night, preprocessing)
    if earlier:
        preprocessing = preprocessing.on_scales_of(earlier.saved.preprocessing)
    return make_lesson(con, frames, preprocessing, label_end, device_of(night.model)), earlier


def _start(
    lesson: Lesson, night: Night, tasks: tuple[str, ...], earlier: Earlier | None
) -> tuple[JointModel, Scales, Taken | None]:
    """The model to train and its baselines' losses: on top of the earlier model, with what was taken from it, or afresh
    where that has run away: its weights would never come back."""
    model, scales = lesson.start(night.model, tasks)
    if earlier is None:
        return model, scales, None
    taken = warm_start.copy_weights(earlier.model, model, is_same_shop=earlier.is_same_shop)
    losses = measure(model, lesson.entities, lesson.validation, scales)
    lost = [task for task, loss in losses.items() if not loss < RUN_AWAY]
    if lost:
        report(f"training starts afresh: {earlier.saved.model_version} has run away in {', '.join(lost)}")
        return *lesson.start(night.model, tasks), None
    report(f"training starts from {earlier.saved.model_version}: {taken}")
    return model, scales, taken


def _earlier_model(con: duckdb.DuckDBPyConnection, night: Night, tonight: Preprocessing) -> Earlier | None:
    """The model to start from. The latest night's must read the same features, for it is trained for few passes; one
    that is named may read others."""
    earlier = load_earlier(con, night)
    is_named = isinstance(night.model.warm_start, str)
    if earlier and not is_named and not warm_start.is_compatible(earlier.saved.preprocessing, tonight):
        report(f"training starts afresh: {earlier.saved.model_version} reads other features")
        return None
    return earlier


def _describe(epoch: Epoch) -> str:
    losses = " ".join(f"{task} {loss:.3f}" for task, loss in epoch.validation_losses.items())
    measured = f"validation {epoch.validation_loss:.4f} ({losses})" if losses else "validation window added"
    passed = f"epoch {epoch.number}" if epoch.number else "alone"
    troubles = [f"{task} left out of {steps} steps (loss not finite)" for task, steps in epoch.left_out.items()]
    troubles += [f"{epoch.skipped_steps} steps skipped"] if epoch.skipped_steps else []
    seconds = f"{epoch.seconds:.1f} s"
    return f"{passed}: " + ", ".join([f"training {epoch.training_loss:.4f}", measured, seconds, *troubles])
