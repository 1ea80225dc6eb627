"""A night whose Prefect server died, told from its diary."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path
from queue import Queue
from types import SimpleNamespace

import pytest
from prefect.events.worker import EventsWorker

from flows.lost_server import ServerLost, state_in_diary
from flows.messages import STOPPED, UNCHANGED
from flows.prefect_server import forget_the_rest
from tasks.night import Night
from warehouse.connect import open_warehouse
from warehouse.migrate import migrate


@pytest.fixture
def night(tmp_path: Path) -> Night:
    night = Night(run_id="r1", as_of_date=date(2024, 7, 19), source="files:x", home=tmp_path)
    with open_warehouse(night.warehouse_path) as con:
        migrate(con)
    return night


@pytest.mark.parametrize(
    ("status", "name", "words"),
    [
        ("released", "Completed", "released r1; the Prefect server was lost"),
        ("skipped", UNCHANGED, "the reason; the Prefect server was lost"),
        ("stopped", STOPPED, "the reason"),
        ("failed", "Failed", r"lost before .* \(the reason\)"),
        ("running", "Failed", "lost before"),
    ],
)
def test_it_ended_as_its_diary_says(night: Night, status: str, name: str, words: str) -> None:
    with open_warehouse(night.warehouse_path) as con:
        con.execute("insert into ops.runs (run_id, status, stopped_by) values ('r1', $1, 'the reason')", [status])
    state = state_in_diary(night)
    assert state.name == name
    assert re.search(words, str(state.message))


def test_a_night_that_readers_see_is_released_whatever_came_after(night: Night) -> None:
    with open_warehouse(night.warehouse_path) as con:
        con.execute("insert into ops.runs (run_id, status, stopped_by) values ('r1', 'failed', 'the reason')")
        con.execute("insert into ops.releases (run_id, kind) values ('r1', 'release')")
    state = state_in_diary(night)
    assert state.is_completed() and state.data == "r1"
    assert "fivefold report" in str(state.message)


def test_a_night_that_had_not_begun_has_failed() -> None:
    state = state_in_diary(None)
    assert state.is_failed() and isinstance(state.data, ServerLost)
    assert "Remedy" in str(state.data)


def test_what_a_dead_server_was_to_be_told_is_forgotten_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    waiting: Queue[str] = Queue()
    for event in ("made", "read"):
        waiting.put(event)
    monkeypatch.setattr(EventsWorker, "_instances", {1: SimpleNamespace(_queue=waiting)})
    forget_the_rest()
    assert waiting.empty()
