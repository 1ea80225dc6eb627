"""One training in a process of its own: `python -m heads.training WAREHOUSE TRAINING`, the training as JSON.

Prints one line of JSON: what it cost, its losses on the validation window, its gates on the measured window.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from math import ceil
from pathlib import Path

# Before NumPy and torch: one core, and no thread that spins while it waits.
os.environ.update(OMP_NUM_THREADS="1", OMP_WAIT_POLICY="PASSIVE")

import duckdb
import torch
from heads.resampling import resampled_gates

from mtl_models.config import ModelConfig
from mtl_models.fit import fit
from mtl_models.heads import TASKS
from mtl_models.model import JointModel
from mtl_models.predict import predict, settle_elasticities
from mtl_models.preprocess import Preprocessing
from mtl_models.samples import TaskSamples, concatenate
from tasks.lesson import Lesson, device_of, make_lesson, tables_of
from tasks.priorities import loss_weights, read_priorities
from tasks.read_samples import entity_tensors, fit_preprocessing, read_frames, sample_tables, sample_tensors
from tasks.readiness import check_readiness
from tasks.score_heads import read_answers
from tasks.serving import Scored
from warehouse.connect import open_read_only

# Trainings that are compared never stop early, for the same passes are part of the same budget.
NEVER = 1_000


@dataclass(frozen=True, kw_only=True)
class Training:
    """`alone`: the one task that is trained; else all together. `placebo`: the table whose labels are true, where
    those of all others are noise. `resamples`: of the measured window's entities."""

    sharing: str
    seed: int
    epochs: int
    alone: str | None = None
    placebo: str | None = None
    resamples: int = 60

    def __str__(self) -> str:
        if self.alone:
            return f"{self.alone} alone, seed {self.seed}"
        return f"{self.sharing}{f', placebo of {self.placebo}' if self.placebo else ''}, seed {self.seed}"


def run(warehouse: Path, training: Training) -> dict:
    """Train on what a night of that warehouse trains on, and measure as the night measures."""
    config = ModelConfig(
        sharing=training.sharing, seed=training.seed, max_epochs=training.epochs, patience=NEVER, warm_start=False
    )
    with open_read_only(warehouse) as con:
        ready = check_readiness(con).tasks
        tasks = (training.alone,) if training.alone else ready
        if training.alone:
            config = config.model_copy(update={"batch_rows": rows_a_step(con, ready, training.alone, config)})
        as_of, measured_from = con.execute(
            "select max(cutoff_date) filter (fold = 'serve'), max(cutoff_date) filter (fold = 'test') "
            "from features.cutoffs"
        ).fetchall()[0]
        frames = read_frames(con, tables_of(tasks), ("train", "validation"), label_end_date=measured_from)
        lesson = make_lesson(con, frames, fit_preprocessing(frames), measured_from, device_of(config))
        if training.placebo:
            lesson = with_noise(lesson, training.placebo, training.seed)
        weights = loss_weights(config, read_priorities(con, as_of), tasks)
        model, found = train(lesson, config, tasks, weights)
        return found | {"gates": gates(con, model, lesson.preprocessing, tasks, training)}


def rows_a_step(con: duckdb.DuckDBPyConnection, ready: tuple[str, ...], alone: str, config: ModelConfig) -> int:
    """A task alone passes its rows in as many steps as all tasks take together: the joint batch is divided among the
    trainings, and none has fewer steps to learn in."""
    counts = {table: sample_tables(con)[table]["train"] for table in tables_of(ready)}
    steps = ceil(sum(counts.values()) / config.batch_rows)
    return ceil(counts[TASKS[alone].table] / steps)


def with_noise(lesson: Lesson, true_table: str, seed: int) -> Lesson:
    """Labels of all other tables move to other rows, with the baselines and inputs that belong to them: the losses
    start where they did, and features say nothing about them. Only the true table says which pass was the best."""
    generator = torch.Generator().manual_seed(seed)

    def moved(rows: TaskSamples) -> TaskSamples:
        other = rows.take(torch.randperm(len(rows), generator=generator))
        return replace(
            rows, targets=other.targets, baselines=other.baselines, inputs=other.inputs, weights=other.weights
        )

    train = {table: rows if table == true_table else moved(rows) for table, rows in lesson.train.items()}
    validation = {
        table: rows if table == true_table else rows.take(slice(0, 0)) for table, rows in lesson.validation.items()
    }
    return replace(lesson, train=train, validation=validation)


def train(
    lesson: Lesson, config: ModelConfig, tasks: tuple[str, ...], weights: Mapping[str, float]
) -> tuple[JointModel, dict]:
    """The trained model; its cost, and its losses at the best pass."""
    # Torch imports its compiler with the first optimiser, which takes seconds and is no training.
    torch.optim.AdamW([torch.zeros(1, requires_grad=True)])
    Path("/proc/self/clear_refs").write_text("5")  # The peak of memory is counted from here.
    before, clock, started = resident_mib("VmRSS"), time.perf_counter(), time.process_time()
    model, scales = lesson.start(config, tasks)
    rows, best = 0, {}
    for epoch in fit(
        model,
        lesson.entities,
        lesson.train,
        lesson.validation,
        scales=scales,
        weights=weights,
        epochs=config.max_epochs,
    ):
        rows += epoch.rows
        if epoch.validation_losses and epoch.is_best:
            best = dict(epoch.validation_losses)
    if lesson.spells is not None:
        demand = concatenate([lesson.train["demand"], lesson.validation["demand"]])
        settle_elasticities(model, lesson.entities, demand, lesson.spells)
    cost = {"cpu_s": time.process_time() - started, "wall_s": time.perf_counter() - clock, "rows": rows}
    memory = {"peak_mib": resident_mib("VmHWM"), "added_mib": resident_mib("VmHWM") - before}
    return model, cost | memory | {"validation": best}


def resident_mib(name: str) -> float:
    """The process's memory: VmRSS is now, VmHWM the most so far."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith(f"{name}:"))


def gates(
    con: duckdb.DuckDBPyConnection,
    model: JointModel,
    preprocessing: Preprocessing,
    tasks: tuple[str, ...],
    training: Training,
) -> dict[str, dict]:
    """Every gate of the tasks on the measured window; of a placebo those of its table."""
    measured = tuple(task for task in tasks if training.placebo in (None, TASKS[task].table))
    frames = read_frames(con, tables_of(measured), ("test",))
    rows, entities = sample_tensors(frames, preprocessing, "test"), entity_tensors(frames, preprocessing)
    scored = Scored(rows, entities, predict(model.cpu(), entities, rows), frames.choice)
    found = {}
    for task in measured:
        found |= resampled_gates(con, task, read_answers(con, task, scored), training.resamples)
    return {name: asdict(gate) for name, gate in found.items()}


if __name__ == "__main__":
    torch.set_num_threads(1)
    print(json.dumps(run(Path(sys.argv[1]), Training(**json.loads(sys.argv[2])))))
