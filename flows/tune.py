"""Better settings for the model, found by trying them on the samples of the last night."""

from __future__ import annotations

import time
from typing import Any

from optuna.trial import Trial
from prefect import flow, task
from prefect.cache_policies import NO_CACHE
from prefect.logging import get_run_logger
from pydantic import Field

from flows.flow_runs import on_record
from flows.notify import tell
from flows.settings import Settings, load_settings
from flows.tuning import Tuned, Tuning, prepare
from flows.tuning_artifacts import publish_gains, publish_trials
from tasks.leave_one_out import Gains, leave_one_out
from tasks.progress import listening_too, report
from tasks.search_space import config_of, in_short, kind_of
from tasks.tuning_study import Record, Study
from tasks.tuning_trial import run_trial
from warehouse import lock

# How long to wait at the end for a night to finish with the warehouse.
PATIENCE_SECONDS = 60.0

# The fields of the run form: Prefect shows the description of a `Field` that is the default of a parameter.
MINUTES: Any = Field(20.0, gt=0, description="How long to try settings; those in use are tried to the end in any case")
TRIALS: Any = Field(None, ge=1, description="Most trials; empty means as many as the minutes allow")
LEAVE_ONE_OUT: Any = Field(False, description="Then train the best settings without each task, beyond the minutes")
SETTINGS: Any = Field(
    Settings.model_construct(), description="The settings in use; fivefold.toml and FIVEFOLD_* fill the rest"
)


@flow(
    name="tune",
    flow_run_name="tune for {minutes:g} minutes",
    persist_result=False,
    on_failure=[tell],
    on_crashed=[tell],
)
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
    with on_record(chosen.home), lock.writing(chosen.home / "tuning", "tune"):
        _say("reading samples")
        tuning, gains = prepare(chosen, deadline), Gains()
        _say(_what_is_tried(tuning))
        try:
            made = 0
            while tuning.has_time() and (trials is None or made < trials):
                asked = tuning.study.next_trial()
                trial(tuning, asked, kind_of(asked.params))
                made += 1
                tuning.tell_diary()
            if leave_one_out:
                gains = measure_gains(tuning)
        finally:
            is_in_diary = tuning.tell_diary(gains, patience_seconds=PATIENCE_SECONDS)
            publish_trials(tuning.study)
        return tuning.outcome(gains, is_in_diary)


@task(name="trial", task_run_name="trial {asked.number}: {kind}", tags=["fivefold", "model"],
      cache_policy=NO_CACHE, persist_result=False)  # fmt: skip
def trial(tuning: Tuning, asked: Trial, kind: str) -> Record:
    """Settings, trained for few passes from each origin; their `kind` is in the run's name."""
    study = tuning.study
    _say(f"trial {asked.number}{' of the settings in use' * study.is_in_use(asked.params)}: {in_short(asked.params)}")
    get_run_logger().info("all its settings: %s", asked.params)
    with listening_too(_log):
        record = run_trial(study, tuning.bench, asked, tuning.is_over)
    _say(f"{_in_words(record)}; {_best_in_words(study)}")
    return record


@task(
    name="leave-one-out",
    task_run_name="leave one out",
    tags=["fivefold", "model"],
    cache_policy=NO_CACHE,
    persist_result=False,
)
def measure_gains(tuning: Tuning) -> Gains:
    """The best settings, trained with all tasks and then without each of them."""
    best, gains = tuning.study.best(), Gains()
    _say(f"leave one out, with the settings of trial {best.number}")
    with listening_too(_log):
        for left, found in leave_one_out(tuning.bench, config_of(best.parameters, tuning.study.config)):
            gains |= found
            report(
                f"without {left}, losses change: "
                + ", ".join(f"{task} {gain:+.1%}" for (task, _), gain in found.items())
            )
    publish_gains(gains)
    return gains


def _say(message: str) -> None:
    """To whoever listens, and on the run's page."""
    report(message)
    get_run_logger().info(message)


def _log(message: str, done: float | None) -> None:
    get_run_logger().info(message)


def _what_is_tried(tuning: Tuning) -> str:
    windows = " and ".join(f"{origin.day}" for origin in tuning.bench.origins)
    earlier = f"; {tuning.study.resumed} trials of earlier runs, {_best_in_words(tuning.study)}"
    return f"windows to validate on from {windows}{earlier * bool(tuning.study.resumed)}"


def _in_words(record: Record) -> str:
    value = f"{record.value:.4f}" if record.value is not None else record.detail
    return f"trial {record.number} {record.state}: {value} ({record.seconds or 0:.0f} s)"


def _best_in_words(study: Study) -> str:
    try:
        best = study.best()
    except LookupError:
        return "none is complete yet"
    return f"best so far {best.value:.4f}, trial {best.number}"
