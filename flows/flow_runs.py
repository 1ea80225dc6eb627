"""Flow runs on record, so that those whose process was killed are told from those at work.

Prefect shows a run whose process was killed as Running for ever, and counts it against the limit of its deployment.
So each flow run here holds a file under the home that the kernel locks for as long as its process lives: what is on
record without a lock is dead.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import UUID

from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.filters import FlowRunFilter, TaskRunFilter
from prefect.client.schemas.objects import FlowRun
from prefect.exceptions import ObjectNotFound
from prefect.logging import get_run_logger
from prefect.runtime import flow_run
from prefect.states import Crashed

from warehouse import lock

KILLED = "its process was killed, or the machine went down"
_REMEDY = "Remedy: see with fivefold status what readers have, and run it again if it is not there."


@contextmanager
def on_record(home: Path) -> Iterator[None]:
    """Within the block this flow run is on record as alive. Runs of the home that are dead are marked as crashed
    before, and its page says so."""
    for dead in mark_crashed(home):
        get_run_logger().warning("marked %s (%s) as crashed: %s", dead.name, dead.id, KILLED)
    folder = _records(home) / str(flow_run.id)
    try:
        with lock.writing(folder, f"flow run {flow_run.name}"):
            yield
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def mark_crashed(home: Path) -> list[FlowRun]:
    """Mark the dead flow runs of the home, and the steps that they were at, as crashed on the Prefect server; those
    that it still took for alive."""
    marked = []
    for folder in dead_records(home):
        with get_client(sync_client=True) as client:
            found = _mark(client, UUID(folder.name))
        marked += [found] if found else []
        shutil.rmtree(folder, ignore_errors=True)
    return marked


def dead_records(home: Path) -> list[Path]:
    """The records that nobody holds any more, each named by the id of its flow run."""
    return sorted(folder for folder in _records(home).glob("*") if lock.abandoned_by(folder))


def _mark(client: SyncPrefectClient, identifier: UUID) -> FlowRun | None:
    """The run, unless the server knows its end, or has never heard of it as a run of another server."""
    try:
        run = client.read_flow_run(identifier)
    except ObjectNotFound:
        return None
    if run.state is None or run.state.is_final():
        return None
    steps = client.read_task_runs(
        flow_run_filter=FlowRunFilter.model_validate({"id": {"any_": [identifier]}}),
        task_run_filter=TaskRunFilter.model_validate({"state": {"type": {"any_": ["RUNNING", "PENDING"]}}}),
    )
    for step in steps:
        client.set_task_run_state(step.id, Crashed(message=KILLED), force=True)
    client.set_flow_run_state(identifier, Crashed(message=f"{KILLED}. {_REMEDY}"), force=True)
    return run


def _records(home: Path) -> Path:
    return home.resolve() / "flow_runs"
