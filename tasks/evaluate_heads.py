"""Measure every head on the last fully observed window, and decide which of them may serve."""

from __future__ import annotations

from dataclasses import dataclass, replace

import duckdb
import polars as pl

from mtl_models import scorecard
from mtl_models.heads import TASKS
from mtl_models.score import Score
from tasks.lesson import tables_of
from tasks.night import Night
from tasks.progress import report
from tasks.read_samples import Frames, read_frames
from tasks.readiness import check_readiness
from tasks.row_limits import Choice
from tasks.score_heads import read_answers, score_answers
from tasks.serving import HEADS, Scored, ServingModel, load_champion, load_tonight, measured_window
from tasks.write_calibration import write_calibration
from tasks.write_rows import replace_night
from warehouse.connect import read_sql

# Tasks whose rows show the ids of users or products; the others score everybody as they score a newcomer.
SEE_IDS = ("recommendation", "service_tickets")


@dataclass(frozen=True)
class Verdict:
    """A head's status, in the words of ops.head_status."""

    head: str
    status: str
    reason: str
    model_version: str | None
    training_rows: int


@dataclass(frozen=True)
class EvaluationReport:
    """What was decided for each head, how many measures beat their baseline, and on which rows where they are many."""

    verdicts: tuple[Verdict, ...]
    measures: int
    measures_better: int
    choice: Choice

    def __str__(self) -> str:
        heads = ", ".join(f"{verdict.head} {verdict.status}" for verdict in self.verdicts)
        chosen = f"; {self.choice}" if self.choice.shares else ""
        return f"{heads}; {self.measures_better} of {self.measures} measures beat naive{chosen}"


def evaluate_heads(con: duckdb.DuckDBPyConnection, night: Night) -> EvaluationReport:
    """Fill ops.model_metrics, ops.calibration, ops.calibration_effects and ops.head_status for this night.

    A head is released when it beats its naive baseline on every gate, and has one: what the window leaves undefined
    proves nothing. Otherwise the champion, the model of an earlier
    night, is measured on the same fresh features and serves if it beats naive; if not, the head is not released.
    """
    readiness = check_readiness(con)
    tonight = load_tonight(night)
    ready = tuple(task for task in tonight.saved.tasks if task not in readiness.not_ready)
    frames = read_frames(con, tables_of(ready), ("test",), most_rows=night.model.most_rows)
    report("measuring heads", 0.3)
    scored = tonight.score(frames, "test", ready)
    scores = {task: _score(con, task, scored) for task in ready}
    for task, cold in _cold_start(con, tonight, frames, ready).items():
        scores[task] += cold

    verdicts: list[Verdict] = []
    champion_values: dict[tuple[str, str, str], float] = {}
    for head, tasks in HEADS.items():
        waiting = [readiness.not_ready[task] for task in tasks if task in readiness.not_ready]
        rows = sum(readiness.labels[task] for task in tasks)
        if waiting:
            verdicts.append(Verdict(head, "not_ready", "; ".join(dict.fromkeys(waiting)), None, rows))
            continue
        gates = _gates(scores, tasks)
        if _beats(gates):
            reason = f"beats naive: {_words(gates)}"
            verdicts.append(Verdict(head, "released", reason, tonight.saved.model_version, rows))
            continue
        champion = load_champion(con, night, head, frames)
        values = _champion_scores(con, champion, frames, tasks)
        champion_values |= {(head, score.task, score.metric): score.value for part in values.values() for score in part}
        verdicts.append(_second_choice(head, gates, champion, values, rows))

    _write_metrics(con, night, scores, champion_values)
    write_calibration(con, night, tonight.model, scored)
    _write_verdicts(con, night, verdicts)
    every = [score for parts in scores.values() for score in parts if score.is_higher_better is not None]
    return EvaluationReport(tuple(verdicts), len(every), sum(score.beats_baseline for score in every), frames.choice)


def _score(con: duckdb.DuckDBPyConnection, task: str, scored: Scored) -> list[Score]:
    scores = score_answers(task, read_answers(con, task, scored))
    return scores + _lead_times(con) if task == "supply" else scores


def _cold_start(
    con: duckdb.DuckDBPyConnection, tonight: ServingModel, frames: Frames, tasks: tuple[str, ...]
) -> dict[str, list[Score]]:
    """The gates of the tasks that see ids, as if every user and product were new: features must stand in."""
    by_id = tuple(task for task in tasks if task in SEE_IDS)
    scored = tonight.score(frames, "test", by_id, hides_ids=True)
    return {
        task: [
            replace(score, metric=f"{score.metric}_ids_hidden", is_gate=False)
            for score in _score(con, task, scored)
            if score.is_gate
        ]
        for task in by_id
    }


def _lead_times(con: duckdb.DuckDBPyConnection) -> list[Score]:
    """How the lead times known at the start of the window fared in it; nothing without purchase orders."""
    receipts = con.execute(read_sql("evaluation/lead_times.sql"), measured_window(con, "demand")).fetchnumpy()
    late_days, p90, plain_p90 = (receipts[name] for name in ("late_days", "late_days_p90", "plain_p90"))
    return scorecard.score_lead_times(late_days, p90, plain_p90) if len(late_days) else []


def _champion_scores(
    con: duckdb.DuckDBPyConnection,
    champion: ServingModel | None,
    frames: Frames,
    tasks: tuple[str, ...],
) -> dict[str, list[Score]]:
    if champion is None or not set(tasks) <= set(champion.saved.tasks):
        return {}
    scored = champion.score(frames, "test", tasks)
    return {task: _score(con, task, scored) for task in tasks}


def _second_choice(
    head: str, gates: list[Score], champion: ServingModel | None, values: dict[str, list[Score]], rows: int
) -> Verdict:
    lost = [score for score in gates if not score.beats_baseline]
    verb = "loses to naive" if any(score.is_defined for score in lost) else "cannot be compared with naive"
    reason = f"{verb}: {_words(lost) or 'the measured window has nothing to measure it by'}"
    if champion and _beats(_gates(values, HEADS[head])):
        return Verdict(head, "champion", f"{reason}; an earlier model serves", champion.saved.model_version, rows)
    why = "the earlier one loses too" if values else "there is no earlier model to fall back to"
    return Verdict(head, "not_released", f"{reason}; {why}", None, rows)


def _gates(scores: dict[str, list[Score]], tasks: tuple[str, ...]) -> list[Score]:
    return [score for task in tasks for score in scores.get(task, ()) if score.is_gate]


def _beats(gates: list[Score]) -> bool:
    return bool(gates) and all(score.beats_baseline for score in gates)


def _words(scores: list[Score]) -> str:
    return ", ".join(f"{score.task} {score.metric} {score}" for score in scores)


def _head_of(task: str) -> str:
    return next(head for head, tasks in HEADS.items() if task in tasks)


def _write_metrics(
    con: duckdb.DuckDBPyConnection,
    night: Night,
    scores: dict[str, list[Score]],
    champion_values: dict[tuple[str, str, str], float],
) -> None:
    rows = []
    for task, parts in scores.items():
        start, end = measured_window(con, TASKS[task].table)
        head = _head_of(task)
        for score in parts:
            row = {name: getattr(score, name) for name in Score.__dataclass_fields__}
            rows.append(
                row
                | {"run_id": night.run_id, "head": head, "window_start": start, "window_end": end}
                | {"champion_value": champion_values.get((head, score.task, score.metric))}
            )
    replace_night(con, "ops.model_metrics", pl.DataFrame(rows, infer_schema_length=None), night.run_id)


def _write_verdicts(con: duckdb.DuckDBPyConnection, night: Night, verdicts: list[Verdict]) -> None:
    columns = {name: [getattr(verdict, name) for verdict in verdicts] for name in Verdict.__dataclass_fields__}
    rows = pl.DataFrame(columns, schema_overrides={"model_version": pl.String})
    replace_night(con, "ops.head_status", rows.with_columns(run_id=pl.lit(night.run_id)), night.run_id)
