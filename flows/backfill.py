"""Nights of earlier days, oldest first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from datetime import date, timedelta
from itertools import takewhile
from pathlib import Path

from flows.elsewhere import show_elsewhere
from flows.rollback import all_releases, run_rollback
from flows.settings import Settings
from flows.tonight import Outcome, prefect_at_hand, run_night
from flows.work import identity, plan_night
from warehouse import diary, lock
from warehouse.connect import open_read_only
from warehouse.release import Release


def run_backfill(
    settings: Settings, first: date, last: date, every_days: int, *, force: bool = False, is_quiet: bool = False
) -> list[Outcome]:
    """One night for each `every_days`-th day from `first` to `last`, both included; returns how each ended, in order.

    Days that are released under the same settings and code are `finished` and not run again unless `force`, so a
    backfill that was interrupted, or killed, resumes by being called again. The first night that does not end well
    ends the backfill: later nights would build on it. In the end readers see the latest of its nights, or what they
    saw before where that is of a later day.
    """
    if last < first:
        raise ValueError(f"the last day {last} is before the first {first}. Remedy: give FROM before TO.")
    days = [first + timedelta(days=offset) for offset in range(0, (last - first).days + 1, every_days)]
    finished = {} if force else finished_nights(settings)
    try:
        return _run_nights(settings, days, finished, is_quiet)
    finally:
        if _show_latest(settings.home, days, f"the backfill of {first} to {last} has ended"):
            show_elsewhere(settings)


def in_words(outcomes: Sequence[Outcome]) -> str:
    """One line about a backfill: how many nights were run, and how the last one ended if that was not well."""
    finished = sum(outcome.status == "finished" for outcome in outcomes)
    failed = outcomes[-1] if outcomes[-1].exit_code else None
    parts = [
        f"{len(outcomes) - finished} nights run" if len(outcomes) > finished else "no night to run",
        f"{finished} were finished before" if finished else "",
        f"the night of {failed.as_of_date} {failed.status}; call it again to go on there" if failed else "",
    ]
    return ", ".join(part for part in parts if part)


def finished_nights(settings: Settings) -> dict[date, str]:
    """{day: run id} of the days that need no night any more; empty before the first night."""
    night = plan_night(settings, date.min)
    with lock.reading(night.home) as writer:
        if writer:
            raise lock.WarehouseBusy(f"{night.home} is in use by {writer}. Remedy: wait until it has ended.")
        if not night.warehouse_path.exists():
            return {}
        with open_read_only(night.warehouse_path) as con:
            run = identity(night)
            return diary.finished_nights(con, run.source, run.settings_json, run.code_version)


def _run_nights(
    settings: Settings, days: Sequence[date], finished: Mapping[date, str], is_quiet: bool
) -> list[Outcome]:
    """The nights of these days, up to the first that does not end well; Prefect is started for the first to run."""
    outcomes: list[Outcome] = []
    with ExitStack() as prefect:
        for day in days:
            if day in finished:
                outcomes.append(_finished(day, finished[day]))
                continue
            if all(outcome.status == "finished" for outcome in outcomes):
                prefect.enter_context(prefect_at_hand(settings))
            outcomes.append(run_night(settings, day, force=True, is_quiet=is_quiet))
            if outcomes[-1].exit_code:
                break
    return outcomes


def _finished(day: date, run_id: str) -> Outcome:
    return Outcome(status="finished", message=f"released before by {run_id}", run_id=run_id, as_of_date=day, seconds=0)


def _show_latest(home: Path, days: Sequence[date], reason: str) -> bool:
    """Readers to the latest day of what they saw before these nights and of the nights themselves; whether that is
    another than they saw last.

    The diary says what that was: a backfill that was killed and called again began where its own releases begin.
    """
    newest_first = all_releases(home)[::-1]
    own = list(takewhile(lambda release: release.kind == "release" and release.as_of_date in days, newest_first))
    candidates = newest_first[: len(own) + 1]
    # What was pruned meanwhile cannot be shown again.
    kept = [release for release in candidates if (home / "published" / release.file_name).exists()]
    latest = max(kept, key=_by_day, default=None)
    if latest is None or latest.run_id == newest_first[0].run_id:
        return False
    run_rollback(home, latest.run_id, reason)
    return True


def _by_day(release: Release) -> tuple[date, int]:
    return release.as_of_date, release.release_number
