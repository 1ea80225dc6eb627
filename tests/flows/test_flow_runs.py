"""Runs whose process was killed, on a real Prefect server."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from uuid import UUID

import pytest
from prefect import flow
from prefect.client.orchestration import get_client
from prefect.states import Completed

from flows.flow_runs import dead_records, mark_crashed, on_record

KILLED = """
import os, signal, sys
from pathlib import Path
from prefect import flow, task
from flows.flow_runs import on_record

@task(task_run_name="the step it died in")
def step():
    os.kill(os.getpid(), signal.SIGKILL)

@flow(flow_run_name="a night that is killed")
def night():
    with on_record(Path(sys.argv[1])):
        step()

night()
"""


@pytest.fixture
def killed(prefect_server: str, tmp_path: Path) -> UUID:
    """A flow run that was killed while it worked in the home `tmp_path`."""
    environment = {**os.environ, "PREFECT_API_URL": prefect_server}
    ended = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path)], check=False, env=environment)
    assert ended.returncode == -signal.SIGKILL
    (record,) = dead_records(tmp_path)
    return UUID(record.name)


def test_a_killed_run_is_marked_as_crashed_once(killed: UUID, tmp_path: Path) -> None:
    with get_client(sync_client=True) as client:
        before = client.read_flow_run(killed)
        assert before.state is not None and before.state.is_running()
        assert [run.id for run in mark_crashed(tmp_path)] == [killed]
        after = client.read_flow_run(killed)
        assert after.state is not None and after.state.is_crashed()
        assert "killed" in str(after.state.message) and "Remedy" in str(after.state.message)
        deadline = time.monotonic() + 60
        steps: list[str | None] = []
        while steps != ["CRASHED"] and time.monotonic() < deadline:
            # What the process said of its step may reach the database after its end.
            steps = [run.state_type for run in client.read_task_runs() if run.flow_run_id == killed]
            time.sleep(0.5)
    assert dead_records(tmp_path) == [] and mark_crashed(tmp_path) == []


def test_a_run_at_work_is_left_alone_and_leaves_nothing_behind(prefect_server: str, tmp_path: Path) -> None:
    @flow(persist_result=False)
    def night() -> None:
        with on_record(tmp_path):
            assert len(list((tmp_path / "flow_runs").iterdir())) == 1
            assert mark_crashed(tmp_path) == []

    assert night(return_state=True).is_completed()
    assert list((tmp_path / "flow_runs").iterdir()) == []


def test_a_run_that_the_server_knows_as_ended_keeps_its_end(killed: UUID, tmp_path: Path) -> None:
    with get_client(sync_client=True) as client:
        client.set_flow_run_state(killed, Completed(), force=True)
        assert mark_crashed(tmp_path) == []
        ended = client.read_flow_run(killed)
    assert ended.state is not None and ended.state.is_completed()


def test_a_run_of_another_server_is_forgotten(prefect_server: str, tmp_path: Path, killed: UUID) -> None:
    with get_client(sync_client=True) as client:
        client.delete_flow_run(killed)
    assert mark_crashed(tmp_path) == [] and dead_records(tmp_path) == []
