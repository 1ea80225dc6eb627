"""A tune at work: the samples and the study that its trials share, and how the diary hears of them."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import date
from statistics import median
from typing import Any

from flows.settings import Settings
from flows.version import code_version
from tasks.build_features import build_features
from tasks.leave_one_out import Gains
from tasks.night import Night
from tasks.progress import listening, report
from tasks.read_samples import sample_tables
from tasks.search_space import tuned_settings
from tasks.tune_model import Bench, read_bench
from tasks.tuning_study import Record, Study
from tasks.write_trials import write_gains, write_trials
from warehouse import build, diary, lock
from warehouse.connect import open_warehouse
from warehouse.migrate import migrate
from warehouse.sources import open_source


class NothingToTune(LookupError):  # noqa: N818 - named after what is the case
    """No night has left feeds that samples could be made of."""


@dataclass(frozen=True, kw_only=True)
class Tuned:
    """How a tune ended. `records` are all trials of the study, of which earlier runs made `resumed`; `gains` are by
    (task, task it learned from). `is_in_diary`: whether `ops` knows of all this, which it does not when a night kept
    the warehouse busy.
    """

    as_of_date: date
    records: list[Record]
    resumed: int
    best: Record
    gains: Gains
    is_in_diary: bool

    @property
    def settings(self) -> dict[str, Any]:
        """The best settings, as a settings file would have them."""
        return {"model": tuned_settings(self.best.parameters)}


class Tuning:
    """What the trials of one run share. A plain object: Prefect neither copies nor looks into it."""

    def __init__(self, night: Night, bench: Bench, study: Study, deadline: float) -> None:
        self.night, self.bench, self.study, self.deadline = night, bench, study, deadline

    def is_over(self) -> bool:
        """Whether the minutes are."""
        return time.monotonic() > self.deadline

    def has_time(self) -> bool:
        """Whether another trial can be completed; the settings in use are tried however long it takes."""
        records = self.study.records()
        if not any(record.is_in_use and record.state == "completed" for record in records):
            return True
        took = [record.seconds for record in records if record.state == "completed" and record.seconds]
        return time.monotonic() + median(took or [0.0]) < self.deadline

    def tell_diary(self, gains: Gains | None = None, *, patience_seconds: float = 0.0) -> bool:
        """Write all trials, and gains, into `ops`; False when somebody else writes to the warehouse."""
        try:
            with (
                lock.writing(self.night.home, "tune, writing its trials", patience_seconds),
                open_warehouse(self.night.warehouse_path) as con,
            ):
                write_trials(con, self.study.name, self.night.run_id, self.study.records())
                if gains:
                    write_gains(con, self.night.run_id, gains)
        except lock.WarehouseBusy:
            return False
        return True

    def outcome(self, gains: Gains, is_in_diary: bool) -> Tuned:
        """How it ended."""
        study = self.study
        return Tuned(
            as_of_date=self.night.as_of_date,
            records=study.records(),
            resumed=study.resumed,
            best=study.best(),
            gains=gains,
            is_in_diary=is_in_diary,
        )


def prepare(settings: Settings, deadline: float) -> Tuning:
    """Read the samples of the last night whose feeds passed their checks, and open their study. The warehouse is locked
    while it is read, and while features are built, where there are none or those of another version.

    Raises NothingToTune before the first night, `warehouse.lock.WarehouseBusy` while one is at work.
    """
    source = open_source(settings.source, home=settings.home)
    planned = settings.night("", date.min, source.time_zone, source.currency)
    if not planned.warehouse_path.exists():
        raise NothingToTune(f"{planned.home} has no night yet. Remedy: fivefold run, or another home with --home.")
    with (
        lock.writing(planned.home, "tune, reading samples"),
        open_warehouse(
            planned.warehouse_path,
            time_zone=planned.time_zone,
            threads=planned.threads,
            memory_limit=planned.memory_limit,
        ) as con,
    ):
        migrate(con)
        checked = diary.last_checked_night(con)
        if checked is None:
            raise NothingToTune(f"no night in {planned.home} has checked its feeds yet. Remedy: fivefold run.")
        # Trials run here, and so does what they need: a cluster is a night's.
        here = {"run_id": checked.run_id, "as_of_date": checked.as_of_date, "engine": "local"}
        night = planned.model_copy(update=here)
        if not checked.is_built or checked.code_version != code_version():
            report("building features: there are none of this version")
            with listening(_nobody):  # their many files are of no interest here
                build_features(con, night)
        bench = read_bench(con, night)
        samples = {"as_of": night.as_of_date, "inputs": diary.inputs_hash(con), "rows": sample_tables(con)}
    study = Study(night.home / "tuning", f"{night.source} {build.version()}", samples, night.model)
    return Tuning(night, bench, study, deadline)


def _nobody(message: str, done: float | None) -> None:
    """Hears nothing."""
