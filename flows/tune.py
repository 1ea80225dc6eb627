"""Better settings for the model, found by trying them on the samples of the last night."""

from __future__ import annotations

import time
from typing import Any

from prefect import flow, task
from prefect.cache_policies import NO_CACHE
from prefect.logging import get_run_logger
from pydantic import Field

from flows.artifacts import publish_table
from flows.settings import Settings, load_settings
from flows.tuning import Tuned, Tuning, prepare
from tasks.leave_one_out import Gains, leave_one_out
from tasks.progress import report
from tasks.search_space import config_of
from tasks.tune_model import by_head
from tasks.tuning_study import Record
from tasks.tuning_trial import run_trial
from warehouse import lock

# How long to wait at the end for a night to finish with the warehouse.
PATIENCE_SECONDS = 60.0
# Enough for a page; the rest is in ops.tuning_trials.
SHOWN_TRIALS = 20

# The fields of the run form: Prefect shows the description of a `Field` that is the default of a parameter.
MINUTES: Any = Field(20.0, gt=0, description="How long to try settings; those in use are tried to the end in any case")
TRIALS: Any = Field(None, ge=1, description="Most trials; empty means as many as the minutes allow")
LEAVE_ONE_OUT: Any = Field(False, description="Then train the best settings without each task, beyond the minutes")
SETTINGS: Any = Field(
    Settings.model_construct(), description="The settings in use; fivefold.toml and FIVEFOLD_* fill the rest"
)


@flow(name="tune", persist_result=False)
def tune(
    minutes: float = MINUTES,
    trials: int | None = TRIALS,
    leave_one_out: bool = LEAVE_ONE_OUT,
    settings: Settings = SETTINGS,
) -> Tuned:
    """Try sharing, balancing, schedule, loss weights and widths on the samples of the last night; the best is returned.

    The settings in use are among the trials, so the best is never worse. Trials of earlier runs on the same samples
    count. Raises `flows.tuning.NothingToTune` before the first night, `warehouse.lock.WarehouseBusy` while a night or
    another tune is at work.
    """
    deadline = time.monotonic() + 60 * minutes
    chosen = load_settings(**settings.model_dump(exclude_unset=True))
    with lock.writing(chosen.home / "tuning", "tune"):
        report("reading samples")
        tuning, gains = prepare(chosen, deadline), Gains()
        report(f"{len(tuning.bench.origins)} windows to validate on, {tuning.study.resumed} trials of earlier runs")
        try:
            made = 0
            while tuning.has_time() and (trials is None or made < trials):
                record = trial(tuning, len(tuning.study.records()))
                made += 1
                report(_in_words(record))
                tuning.tell_diary()
            if leave_one_out:
                gains = measure_gains(tuning)
        finally:
            is_in_diary = tuning.tell_diary(gains, patience_seconds=PATIENCE_SECONDS)
            _publish(tuning.study.records())
        return tuning.outcome(gains, is_in_diary)


@task(name="trial", task_run_name="trial {number}", tags=["fivefold", "model"], cache_policy=NO_CACHE,
      persist_result=False)  # fmt: skip
def trial(tuning: Tuning, number: int) -> Record:
    """Settings, trained for few passes from each origin."""
    record = run_trial(tuning.study, tuning.bench, tuning.is_over)
    get_run_logger().info("%s: %s", _in_words(record), record.parameters)
    return record


@task(name="leave-one-out", tags=["fivefold", "model"], cache_policy=NO_CACHE, persist_result=False)
def measure_gains(tuning: Tuning) -> Gains:
    """The best settings, trained with all tasks and then without each of them."""
    best, gains = tuning.study.best(), Gains()
    for left, found in leave_one_out(tuning.bench, config_of(best.parameters, tuning.study.config)):
        gains |= found
        report(f"without {left}: " + ", ".join(f"{task} {gain:+.1%}" for (task, _), gain in found.items()))
    return gains


def _in_words(record: Record) -> str:
    value = f"{record.value:.4f}" if record.value is not None else record.detail
    return f"trial {record.number} {record.state}: {value} ({record.seconds or 0:.0f} s)"


def _publish(records: list[Record]) -> None:
    """The best trials as a table on the flow run's page."""
    best = sorted(records, key=lambda record: (record.value is None, record.value or 0.0))[:SHOWN_TRIALS]
    rows = [
        {
            "trial": r.number,
            "state": r.state,
            "value": r.value,
            **by_head(r.losses),
            "seconds": r.seconds,
            **r.parameters,
        }
        for r in best
    ]
    publish_table("tuning-trials", rows, "The best settings first; a value below 1 beats the baselines")
