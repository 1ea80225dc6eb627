"""Run the trials of a study, one by one."""

from __future__ import annotations

import time
from collections.abc import Callable

import optuna
from optuna.trial import TrialState
from pydantic import ValidationError

from mtl_models.config import ModelConfig
from tasks.progress import report
from tasks.search_space import config_of
from tasks.tune_model import Bench, Losses, in_words, try_settings
from tasks.tuning_study import INTERRUPTED, Record, Study

# Faults of the settings that are tried, not of the trial: the study goes on without them.
FAULTS = (ArithmeticError, ImportError, RuntimeError, ValueError)


class TrialStopped(Exception):  # noqa: N818 - named after what is the case
    """The trial ended before its last pass."""


def run_trial(study: Study, bench: Bench, trial: optuna.Trial, is_over: Callable[[], bool]) -> Record:
    """Try the settings of `study.next_trial()`; whatever comes of it is in the study, and what came of it is returned.

    Between passes a trial is given up where it is worse than the others were, or stopped when `is_over()`: then the
    next run begins with it. Only the settings in use are tried to the end, for all others are compared with them; an
    error of theirs is raised.
    """
    is_in_use, started = study.is_in_use(trial.params), time.perf_counter()
    state, value, detail = TrialState.FAIL, None, INTERRUPTED
    try:
        config = study.config if is_in_use else config_of(trial.params, study.config)
        value = _train(trial, bench, config, (lambda: False) if is_in_use else is_over, is_in_use)
        state, detail = TrialState.COMPLETE, ""
    except optuna.TrialPruned as given_up:
        state, detail = TrialState.PRUNED, str(given_up)
    except TrialStopped as stopped:
        detail = f"{INTERRUPTED}: {stopped}"
    except ValidationError as error:  # before anything was trained; to the sampler it is a bad point
        state, detail = TrialState.PRUNED, error.errors()[0]["msg"].removeprefix("Value error, ")
    except FAULTS as error:
        detail = f"{type(error).__name__}: {error}"
        if is_in_use:
            raise
    finally:
        trial.set_user_attr("detail", detail)
        trial.set_user_attr("seconds", round(time.perf_counter() - started, 2))
        study.study.tell(trial, value, state)
        if detail.startswith(INTERRUPTED) and not is_in_use:
            study.again(trial.params)
    return next(record for record in study.records() if record.number == trial.number)


def _train(
    trial: optuna.Trial, bench: Bench, config: ModelConfig, is_over: Callable[[], bool], is_protected: bool
) -> float:
    losses: Losses = {}
    for seen in try_settings(bench, config):
        losses, value = seen.losses, bench.value(seen.losses)
        report(f"trial {trial.number} at {value:.4f}, {in_words(seen)}", seen.share)
        trial.report(value, seen.number)
        trial.set_user_attr("losses", losses)
        if not is_protected and trial.should_prune():
            raise optuna.TrialPruned(f"{value:.4f} at {seen}: worse than the median of the others there")
        if is_over():
            raise TrialStopped(f"the minutes were over at {seen}")
    return bench.value(losses)
