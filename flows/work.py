"""A night at work: its lock, its connection, its diary, from the first step to the last word."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import duckdb
from prefect.logging import get_run_logger

from flows.environment import keep_matplotlib_in
from flows.secrets import load_secrets, open_settings_source
from flows.settings import Settings
from flows.version import code_version
from flows.watch import Watcher
from tasks.engine import shut_down
from tasks.gates import GateStopped, bad_feed
from tasks.night import Night
from warehouse import diary, erasure, lock
from warehouse.connect import open_warehouse
from warehouse.leftovers import clear_files, settle_nights
from warehouse.migrate import migrate
from warehouse.sources import FeedError, Source, open_source

# They say where and how fast a night runs, not what it writes.
_NOT_IDENTITY = {
    "run_id",
    "as_of_date",
    "source",
    "home",
    "threads",
    "memory_limit",
    "publish",
    "engine",
    "engine_address",
}


class Work:
    """What the steps of one night share. A plain object: Prefect neither copies nor looks into it.

    `steps` are the names of all steps in order; `skipped_for` names the release that already says all that
    this night would say; `left_undone` is what a night that is released could not do besides.
    """

    def __init__(
        self, con: duckdb.DuckDBPyConnection, night: Night, steps: Sequence[str], watchers: Sequence[Watcher]
    ) -> None:
        self.con, self.night, self.steps, self.watchers = con, night, steps, watchers
        self.skipped_for: str | None = None
        self.left_undone = ""

    def is_unchanged(self) -> bool:
        """Whether readers already see this day, made from the same inputs, settings and code."""
        self.skipped_for = diary.equal_release(self.con, identity(self.night))
        return self.skipped_for is not None

    def started(self, step: str) -> None:
        """Tell every watcher that the step starts."""
        for watcher in self.watchers:
            watcher.started(step, self.steps.index(step) + 1, len(self.steps))

    def said(self, message: str, done: float | None) -> None:
        """Pass on what a step says about its progress."""
        for watcher in self.watchers:
            watcher.said(message, done)

    def ended(self, step: str, seconds: float, detail: str) -> None:
        """Tell every watcher that the step is complete."""
        for watcher in self.watchers:
            watcher.ended(step, seconds, detail)


@contextmanager
def at_work(
    settings: Settings, as_of_date: date | None, steps: Sequence[str], watchers: Sequence[Watcher]
) -> Iterator[Work]:
    """The one night at work in this home; how it ends goes into the diary, whatever happens. What a killed one left
    there is cleared first, and every watcher told.

    Raises `warehouse.lock.WarehouseBusy` when another is at work, `warehouse.diary.ClockBehind` when the clock was
    moved back and nobody named the day.
    """
    night = plan_night(settings, as_of_date).model_copy(update={"secrets": load_secrets(settings)})
    keep_matplotlib_in(night.home)
    killed = lock.abandoned_by(night.home)
    with lock.writing(night.home, f"night {night.run_id}"), _forgetting_at_the_end(night), _with_its_engine(night):
        found = [f"{killed} was killed"] if killed else []
        found += clear_files(night.home)
        with open_warehouse(
            night.warehouse_path,
            time_zone=night.time_zone,
            threads=night.threads,
            memory_limit=night.memory_limit,
        ) as con:
            migrate(con)
            if as_of_date is None:
                diary.require_clock(con)
            found += diary.mend_clock(con)
            found += settle_nights(con, night.home)
            found += [f"marked night {run_id} as ended" for run_id in diary.start_run(con, identity(night))]
            work = Work(con, night, steps, watchers)
            for watcher in watchers:
                watcher.began(night)
                for line in found:
                    watcher.noted(line)
            with _in_the_diary(work):
                yield work


@contextmanager
def _with_its_engine(night: Night) -> Iterator[None]:
    """What the night's engine started ends with the night."""
    try:
        yield
    finally:
        shut_down(night)


@contextmanager
def _in_the_diary(work: Work) -> Iterator[None]:
    """However the night ends stands in the diary."""
    con, run_id = work.con, work.night.run_id
    try:
        yield
    except GateStopped as stop:
        diary.finish_run(con, run_id, "stopped", str(stop))
        raise
    except BaseException as error:
        # On a full disk the diary has no room either: then the next night marks this one as crashed.
        with suppress(duckdb.Error):
            diary.finish_run(con, run_id, "failed", f"{type(error).__name__}: {error}".rstrip(": "))
        raise
    if work.skipped_for:
        diary.finish_run(con, run_id, "skipped", f"nothing has changed since {work.skipped_for}{work.left_undone}")
    else:
        diary.finish_run(con, run_id, "released", work.left_undone.removeprefix("; ") or None)


@contextmanager
def _forgetting_at_the_end(night: Night) -> Iterator[None]:
    """After the block, when the warehouse is closed, erased users leave its bytes too. A night does not fail by it."""
    try:
        yield
    finally:
        try:
            if night.warehouse_path.exists():
                erasure.rewrite_warehouse(night.warehouse_path)
        except (duckdb.Error, OSError) as error:
            get_run_logger().warning(
                "bytes about erased users are still in %s, which could not be written anew: %s. "
                "Remedy: make room for a second one; the next night tries again.",
                night.warehouse_path,
                error,
            )


def plan_night(settings: Settings, as_of_date: date | None) -> Night:
    """The night of that day; without a day, the latest one that the source knows everything about."""
    source = open_source(settings.source, home=settings.home)
    night = settings.night("", as_of_date or date.min, source.time_zone, source.currency)
    day = as_of_date or _tonight(open_settings_source(settings), night.time_zone)
    return night.model_copy(update={"as_of_date": day, "run_id": new_run_id(day)})


def identity(night: Night) -> diary.Run:
    """What makes two nights the same work."""
    return diary.Run(
        run_id=night.run_id,
        as_of_date=night.as_of_date,
        source=night.source,
        settings_json=night.model_dump_json(exclude=_NOT_IDENTITY),
        code_version=code_version(),
    )


def new_run_id(as_of_date: date) -> str:
    """A name that sorts by day and then by start (UTC, to the millisecond), such as 20180101-20180101T070000123."""
    now = datetime.now(UTC)
    return f"{as_of_date:%Y%m%d}-{now:%Y%m%dT%H%M%S}{now.microsecond // 1000:03d}"


def _tonight(source: Source, time_zone: str) -> date:
    """Today in the business time zone, or the end of the data where they end earlier."""
    try:
        end_of_data = source.latest_as_of(time_zone)
    except FeedError as error:
        # Without a feed the source itself is not what the settings say.
        raise (bad_feed(error) if error.feed else error) from error
    return min(datetime.now(ZoneInfo(time_zone)).date(), end_of_data)
