"""A plain function of tasks/ becomes a named, timed and noted step of the night."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, fields, is_dataclass
from datetime import UTC, datetime
from typing import Any

import duckdb
from prefect import Task, task
from prefect.assets import add_asset_metadata, materialize
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State, TaskRun
from prefect.logging import get_run_logger
from prefect.tasks import exponential_backoff

from flows.work import Work
from tasks.gates import GateStopped
from tasks.night import Night
from tasks.progress import listening
from warehouse import diary

Function = Callable[[duckdb.DuckDBPyConnection, Night], object]


@dataclass(frozen=True)
class Lineage:
    """What Prefect's events say of a step: the assets that it makes, and those that they are made from."""

    tables: tuple[str, ...]
    feeds: tuple[str, ...]


def step(function: Function, *tags: str, called: str = "", lineage: Lineage | None = None) -> Task[[Work], object]:
    """The function as a Prefect task over `Work`, with its name; `called` is what people read on Prefect's pages.

    Only a lost connection is tried again, 10, 20 and 40 seconds later: bad data stay bad. The function starts
    over, which is safe because each one replaces what it wrote.
    """
    name = function.__name__

    @_as_task(
        lineage,
        name=name,
        task_run_name=(called or name.replace("_", " ")) + " {work.night.as_of_date}",
        description=(function.__doc__ or "").strip().partition("\n")[0],
        tags=["fivefold", *tags],
        cache_policy=NO_CACHE,
        persist_result=False,
        retries=3,
        retry_delay_seconds=exponential_backoff(10),
        retry_condition_fn=_lost_connection,
    )
    def run(work: Work) -> object:
        logger = get_run_logger()
        started_at, clock = datetime.now(UTC), time.perf_counter()
        work.started(name)
        try:
            with listening(work.said):
                report = function(work.con, work.night)
        except GateStopped as stop:
            logger.error(str(stop))
            _note(work, name, "failed", started_at, clock, str(stop))
            raise
        except Exception as error:
            logger.exception("%s failed", name)
            # What failed may be the disk or the database itself; then this error must not hide that one.
            with suppress(duckdb.Error):
                _note(work, name, "failed", started_at, clock, f"{type(error).__name__}: {error}")
            raise
        detail = in_words(report)
        seconds = _note(work, name, "completed", started_at, clock, detail)
        work.ended(name, seconds, detail)
        for key in lineage.tables if lineage else ():
            add_asset_metadata(key, {"run_id": work.night.run_id, "as_of_date": str(work.night.as_of_date)})
        logger.info("%.1f s: %s", seconds, detail)
        return report

    return run


def _as_task(lineage: Lineage | None, **options: Any) -> Callable[[Callable[[Work], object]], Task[[Work], object]]:
    if lineage is None:
        return task(**options)
    return materialize(*lineage.tables, asset_deps=list(lineage.feeds), **options)


def in_words(report: object) -> str:
    """A report as one line: its own words where it has them, else its counts and words as 'name value'."""
    if isinstance(report, Mapping):
        values = dict(report)
    elif is_dataclass(report) and type(report).__str__ is object.__str__:
        values = {field.name: getattr(report, field.name) for field in fields(report)}
    else:
        return "" if report is None else str(report)
    return ", ".join(
        f"{name.replace('_', ' ')} {_number(value)}"
        for name, value in values.items()
        if isinstance(value, int | float | str)
    )


def _number(value: float | str) -> str:
    if isinstance(value, str | bool):
        return str(value)
    return f"{value:,}" if isinstance(value, int) else f"{value:.4g}"


def _note(work: Work, name: str, status: str, started_at: datetime, clock: float, detail: str) -> float:
    seconds = time.perf_counter() - clock
    diary.record_step(work.con, work.night.run_id, name, status, started_at, seconds, detail)
    return seconds


def _lost_connection(_task: Task[..., Any], _run: TaskRun, state: State[Any]) -> bool:
    """Whether a retry can help."""
    return isinstance(state.data, ConnectionError | TimeoutError)
