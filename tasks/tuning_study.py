"""The study: all trials on the same samples, kept in a journal, so that tuning goes on where it was left.

Optuna makes them: a tree of Parzen estimators proposes settings (Bergstra et al. 2011), and a trial that is worse than
the median of the others after as many passes is given up.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import optuna
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from optuna.trial import FrozenTrial, TrialState

from mtl_models.config import ModelConfig
from tasks.search_space import Space, parameters_of, space_around
from tasks.tune_model import TRIAL_EPOCHS, Losses

JOURNAL = "trials.jsonl"
# Trials before the sampler has an opinion, and before others are given up.
FIRST_TRIALS, FIRST_COMPARED = 8, 4
# The best of an earlier night's study, tried first in the next one.
HANDED_ON = 3
INTERRUPTED = "interrupted"

State = Literal["completed", "pruned", "failed", "interrupted", "running"]
_STATES: dict[TrialState, State] = {
    TrialState.COMPLETE: "completed",
    TrialState.PRUNED: "pruned",
    TrialState.FAIL: "failed",
    TrialState.RUNNING: "running",
}


@dataclass(frozen=True, kw_only=True)
class Record:
    """One trial, as `ops.tuning_trials` has it. `losses` are relative, by task; `value` is empty unless completed."""

    number: int
    state: State
    is_in_use: bool
    value: float | None
    losses: Losses
    parameters: dict[str, Any]
    detail: str
    seconds: float | None
    started_at: datetime


class Study:
    """Trials on one set of samples: `samples` says which, `lineage` which other sets are like it (the same shop and
    features on another night). `config` are the settings in use, which every study tries, and first."""

    def __init__(self, folder: Path, lineage: str, samples: Mapping[str, Any], config: ModelConfig) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        self.config, self.space, self.in_use = config, space_around(config), parameters_of(config)
        self.name = f"{lineage} {_fingerprint(samples, config, self.space)}"
        storage = JournalStorage(JournalFileBackend(str(_mended(folder / JOURNAL))))
        earlier = [] if self.name in optuna.get_all_study_names(storage) else _best_before(storage, lineage, self.space)
        self.study = optuna.create_study(storage=storage, study_name=self.name, load_if_exists=True)
        self.resumed = len(self.records())
        # A resumed sampler with the first one's seed would propose what was tried.
        self.study.sampler = optuna.samplers.TPESampler(
            seed=config.seed + len(self.study.trials), multivariate=True, n_startup_trials=FIRST_TRIALS
        )
        self.study.pruner = optuna.pruners.MedianPruner(n_startup_trials=FIRST_COMPARED)
        self._take_up_interrupted()
        known = [trial.params for trial in self._trials(TrialState.COMPLETE)]
        queued = [trial.system_attrs.get("fixed_params") for trial in self._trials(TrialState.WAITING)]
        if self.in_use not in known + queued:
            self.study.enqueue_trial(self.in_use)
        for parameters in earlier:
            self.study.enqueue_trial(parameters, skip_if_exists=True)

    def next_trial(self) -> optuna.Trial:
        """Settings that were queued, else what the sampler proposes."""
        trial = self.study.ask(fixed_distributions=self.space)
        # What it says if its process is killed.
        trial.set_user_attr("detail", INTERRUPTED)
        return trial

    def is_in_use(self, parameters: Mapping[str, Any]) -> bool:
        """Whether these are the settings in use, to which all others are compared."""
        return dict(parameters) == self.in_use

    def again(self, parameters: Mapping[str, Any]) -> None:
        """Let the next run begin with them: their trial was not finished."""
        self.study.enqueue_trial(dict(parameters), skip_if_exists=False)

    def records(self) -> list[Record]:
        """Every trial that was begun, in order."""
        return [_record(trial, self.is_in_use(trial.params)) for trial in self._trials(*_STATES)]

    def best(self) -> Record:
        """The completed trial of least value; LookupError when none is."""
        completed = [record for record in self.records() if record.state == "completed"]
        if not completed:
            raise LookupError("no trial was completed")
        return min(completed, key=lambda record: record.value or 0.0)

    def _trials(self, *states: TrialState) -> list[FrozenTrial]:
        return self.study.get_trials(deepcopy=False, states=states)

    def _take_up_interrupted(self) -> None:
        """End the trials whose process was killed, and queue their settings again."""
        for trial in self._trials(TrialState.RUNNING):
            self.study.tell(trial.number, state=TrialState.FAIL)
            if not self.is_in_use(trial.params):
                self.again(trial.params)


def _mended(journal: Path) -> Path:
    """The journal without the half line that a crash can leave at its end: what is written next would be glued to it,
    and nothing could be read again. Only one process at a time may tune in a folder."""
    if journal.exists():
        with journal.open("r+b") as file:
            lines = file.read()
            file.truncate(lines.rfind(b"\n") + 1)
    return journal


def _best_before(storage: JournalStorage, lineage: str, space: Space) -> list[dict[str, Any]]:
    """The best parameters of the newest study of the lineage that are points of the space."""
    names = [name for name in optuna.get_all_study_names(storage) if name.startswith(f"{lineage} ")]
    for name in reversed(names):
        completed = optuna.load_study(study_name=name, storage=storage).get_trials(states=(TrialState.COMPLETE,))
        trials = [trial for trial in completed if trial.distributions == space]
        if trials:
            return [trial.params for trial in sorted(trials, key=lambda trial: trial.value or 0.0)[:HANDED_ON]]
    return []


def _fingerprint(samples: Mapping[str, Any], config: ModelConfig, space: Mapping[str, Any]) -> str:
    """What two trials must have in common to be compared: the samples, the settings that are not tuned, the space."""
    tuned = {name.partition(".")[0] for name in space}
    words = [
        samples,
        config.model_dump(mode="json", exclude=tuned),
        {k: repr(v) for k, v in space.items()},
        TRIAL_EPOCHS,
    ]
    return hashlib.sha256(json.dumps(words, sort_keys=True, default=str).encode()).hexdigest()[:12]


def _record(trial: FrozenTrial, is_in_use: bool) -> Record:
    told, state = trial.user_attrs, _STATES[trial.state]
    detail = told.get("detail", "")
    if state == "failed" and not detail:  # killed between its last word and its end
        detail = INTERRUPTED
    if state == "failed" and detail.startswith(INTERRUPTED):
        state = "interrupted"
    began = trial.datetime_start or datetime.now()
    return Record(
        number=trial.number,
        state=state,
        is_in_use=is_in_use,
        value=trial.value if state == "completed" else None,
        losses=told.get("losses", {}),
        parameters=trial.params,
        detail="" if state == "running" else detail,
        seconds=told.get("seconds"),
        started_at=began.astimezone(UTC).replace(tzinfo=None),
    )
