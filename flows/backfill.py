"""Nights of earlier days, oldest first."""

from __future__ import annotations

from datetime import date, timedelta

from flows.rollback import newest_release, run_rollback
from flows.settings import Settings
from flows.tonight import Outcome, prefect_at_hand, run_night
from flows.work import identity, plan_night
from warehouse import diary, lock
from warehouse.connect import open_read_only


def run_backfill(
    settings: Settings, first: date, last: date, every_days: int, *, force: bool = False, is_quiet: bool = False
) -> list[Outcome]:
    """One night for each `every_days`-th day from `first` to `last`, both included; returns how each ended.

    Days that are released under the same settings and code are skipped unless `force`, so a backfill that was
    interrupted resumes by being called again. The first night that does not end well ends the backfill: later nights
    would build on it. Readers who saw a later day before see that day again in the end.
    """
    if last < first:
        raise ValueError(f"the last day {last} is before the first {first}. Remedy: give FROM before TO.")
    before = newest_release(settings.home)
    done = set() if force else released_days(settings)
    days = [first + timedelta(days=offset) for offset in range(0, (last - first).days + 1, every_days)]
    outcomes = _run_nights(settings, [day for day in days if day not in done], is_quiet)
    after = newest_release(settings.home)
    if before and after and after.as_of_date < before.as_of_date:
        run_rollback(settings.home, before.run_id, f"the backfill of {first} to {last} has ended")
    return outcomes


def _run_nights(settings: Settings, days: list[date], is_quiet: bool) -> list[Outcome]:
    """The nights of these days, up to the first that does not end well."""
    outcomes: list[Outcome] = []
    if days:
        with prefect_at_hand(settings):
            for day in days:
                outcomes.append(run_night(settings, day, force=True, is_quiet=is_quiet))
                if outcomes[-1].exit_code:
                    break
    return outcomes


def released_days(settings: Settings) -> set[date]:
    """The days that need no night any more; empty before the first night."""
    night = plan_night(settings, date.min)
    with lock.reading(night.home) as writer:
        if writer:
            raise lock.WarehouseBusy(f"{night.home} is in use by {writer}. Remedy: wait until it has ended.")
        if not night.warehouse_path.exists():
            return set()
        with open_read_only(night.warehouse_path) as con:
            run = identity(night)
            return diary.finished_days(con, run.source, run.settings_json, run.code_version)
