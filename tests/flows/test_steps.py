"""A plain function as a step, on a real Prefect server."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import duckdb
import pytest
from prefect import flow
from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import TaskRun

from flows import steps
from flows.work import Work
from tasks import progress
from tasks.gates import GateStopped
from tasks.night import Night
from warehouse.connect import open_memory
from warehouse.migrate import migrate


@dataclass(frozen=True)
class Report:
    rows: int
    feed: str
    by_feed: dict[str, int]


class Diary:
    """A watcher that writes down what it hears."""

    def __init__(self) -> None:
        self.heard: list[tuple[object, ...]] = []

    def began(self, night: Night) -> None:
        self.heard.append(("began",))

    def noted(self, line: str) -> None:
        self.heard.append(("noted", line))

    def started(self, step: str, number: int, of: int) -> None:
        self.heard.append(("started", step, number, of))

    def said(self, message: str, done: float | None) -> None:
        self.heard.append(("said", message, done))

    def ended(self, step: str, seconds: float, detail: str) -> None:
        self.heard.append(("ended", step, detail))


@pytest.fixture
def work(prefect_server: str, tmp_path: Path) -> Iterator[Work]:
    night = Night(run_id="r1", as_of_date=date(2024, 7, 19), source="files:x", home=tmp_path)
    with open_memory() as con:
        migrate(con)
        yield Work(con, night, ("count_rows", "fails", "refuses", "flaky"), (Diary(),))


def run_in_a_flow(step, work: Work):
    @flow(persist_result=False)
    def only_this() -> None:
        step(work)

    return only_this(return_state=True)


def task_run(name: str) -> TaskRun:
    """The run of that name; the server records it some seconds later."""
    deadline = time.monotonic() + 60
    with get_client(sync_client=True) as client:
        while time.monotonic() < deadline:
            found = [run for run in client.read_task_runs() if run.name == name]
            if found:
                return found[0]
            time.sleep(0.5)
    raise AssertionError(f"the server knows no task run {name!r}")


def noted(work: Work) -> list[tuple[object, ...]]:
    return work.con.execute("select step, status, detail from ops.run_steps order by step").fetchall()


def count_rows(con: duckdb.DuckDBPyConnection, night: Night) -> Report:
    progress.report("counting", 0.5)
    return Report(rows=1234, feed="users", by_feed={"users": 1234})


def test_a_step_is_named_noted_and_heard(work: Work) -> None:
    state = run_in_a_flow(steps.step(count_rows, "warehouse"), work)
    assert state.is_completed()
    assert noted(work) == [("count_rows", "completed", "rows 1,234, feed users")]
    assert work.watchers[0].heard == [
        ("started", "count_rows", 1, 4),
        ("said", "counting", 0.5),
        ("ended", "count_rows", "rows 1,234, feed users"),
    ]
    assert set(task_run("count rows 2024-07-19").tags) >= {"fivefold", "warehouse"}


def test_a_gate_stops_without_a_second_try(work: Work) -> None:
    tries = []

    def refuses(con: duckdb.DuckDBPyConnection, night: Night) -> None:
        tries.append(1)
        raise GateStopped("data", "users.csv has 3 users twice.", "remove the doubles.")

    state = run_in_a_flow(steps.step(refuses), work)
    assert state.is_failed() and len(tries) == 1
    error = state.result(raise_on_failure=False)
    assert isinstance(error, GateStopped) and error.gate == "data"
    assert noted(work)[0][1:] == ("failed", "data gate: users.csv has 3 users twice. Remedy: remove the doubles.")


def test_bad_data_are_not_tried_again_and_leave_nothing_half_done(work: Work) -> None:
    tries = []

    def fails(con: duckdb.DuckDBPyConnection, night: Night) -> None:
        tries.append(1)
        con.execute("begin")
        con.execute("insert into raw.users (user_id) values ('half')")
        raise ValueError("row 7")

    assert run_in_a_flow(steps.step(fails), work).is_failed() and len(tries) == 1
    assert noted(work) == [("fails", "failed", "ValueError: row 7")]
    assert work.con.execute("select count(*) from raw.users").fetchall() == [(0,)]


def test_a_lost_connection_is_tried_again(work: Work) -> None:
    tries = []

    def flaky(con: duckdb.DuckDBPyConnection, night: Night) -> None:
        tries.append(1)
        if len(tries) < 3:
            raise ConnectionResetError("gone")

    again = steps.step(flaky).with_options(retry_delay_seconds=0)
    assert run_in_a_flow(again, work).is_completed() and len(tries) == 3
    assert noted(work)[0][1] == "completed"


@pytest.mark.parametrize(
    ("report", "words"),
    [
        (None, ""),
        ("said", "said"),
        ({"users": 3, "order_lines": 1_200_000}, "users 3, order lines 1,200,000"),
        (Report(rows=2, feed="a", by_feed={}), "rows 2, feed a"),
        ({"wape": 0.123456, "ok": True}, "wape 0.1235, ok True"),
    ],
)
def test_reports_in_words(report: object, words: str) -> None:
    assert steps.in_words(report) == words
