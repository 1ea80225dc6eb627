"""Every night at two: the process that registers the deployments and runs them, one at a time."""

from __future__ import annotations

import asyncio
import logging
import signal
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.filters import DeploymentFilter, FlowRunFilter
from prefect.client.schemas.objects import FlowRun, StateType
from prefect.client.schemas.sorting import FlowRunSort
from prefect.runner import Runner
from prefect.settings import PREFECT_UI_URL
from prefect.states import Cancelled

from flows.console import err
from flows.deployments import deployments, schedule_time_zone
from flows.flow_runs import KILLED, mark_crashed
from flows.prefect_server import lasting_server
from flows.secrets import open_settings_source
from flows.settings import Settings


class _Runner(Runner):
    """Prefect's, but what `systemctl stop` sends ends it like Ctrl-C does; its own handler calls what it would have to
    await."""

    def handle_sigterm(self, *_: Any, **__: Any) -> None:
        """Leave the event loop, which stops what runs."""
        # What asyncio has to say about tasks that are cut off helps nobody.
        logging.getLogger("asyncio").disabled = True
        raise KeyboardInterrupt


def serve(settings: Settings, *, paused: bool = False, nights: int = 0) -> None:
    """Register the deployments and run them until interrupted; starts a server where none is.

    Runs that were killed with the last server are marked as crashed, and a night that was due meanwhile is made up for.
    `nights` asks for the last nights that the source has feeds for; finished ones are not run again.
    """
    with lasting_server() as api:
        for run in mark_crashed(settings.home):
            _say(f"marked {run.name} as crashed: {KILLED}")
        # One at a time, whatever the deployment: nights, backfills and tunes of one home would only lock each other
        # out. The schedule stays when this process goes, so that its nights are found waiting.
        runner = _Runner(name="fivefold", limit=1, pause_on_shutdown=False)
        identifiers: dict[str, Any] = {
            deployment.name: runner.add_deployment(deployment) for deployment in deployments(settings, paused=paused)
        }
        if not paused and (late := catch_up(identifiers["nightly"])):
            _say(f"a night was due while nothing ran; it starts now ({late.id})")
        if nights:
            _say(f"{backfill_last(identifiers['backfill'], settings, nights)} starts now")
        _say(f"nights are kept in {settings.home.resolve()}")
        _say(f"look at {PREFECT_UI_URL.value() or api.removesuffix('/api')}")
        _say(f"served: {', '.join(identifiers)}; nights at {settings.schedule.cron!r}, {schedule_time_zone(settings)}")
        _say("stop with Ctrl-C; a night that is due meanwhile is made up for by the next serve")
        signal.signal(signal.SIGINT, runner.handle_sigterm)
        with suppress(KeyboardInterrupt):
            asyncio.run(runner.start())


def catch_up(nightly: UUID) -> FlowRun | None:
    """Ask for one night, at once, if scheduled ones were due while nobody ran them, or if the last that began was
    killed. However many there were, one reads all that has landed; those that did not begin are cancelled."""
    with get_client(sync_client=True) as client:
        late = _late(client, nightly)
        missed = [*late, *_crashed(client, nightly)]
        if not missed:
            return None
        newest = max(missed, key=lambda run: str(run.expected_start_time))
        night = client.create_flow_run_from_deployment(
            nightly, name="night caught up", idempotency_key=f"instead of {newest.id}", tags=["caught-up"]
        )
        for run in late:
            message = f"nothing ran when it was due; run {night.id} makes up for it"
            client.set_flow_run_state(run.id, Cancelled(message=message), force=True)
        return night


def backfill_last(backfill: UUID, settings: Settings, nights: int) -> str:
    """Ask for the last nights that the source has feeds for; the name of the run."""
    last = open_settings_source(settings).latest_as_of()
    days = {"first": str(last - timedelta(days=nights - 1)), "last": str(last)}
    with get_client(sync_client=True) as client:
        name = f"backfill {days['first']} to {days['last']}"
        client.create_flow_run_from_deployment(backfill, parameters=days, name=name)
    return name


def _late(client: SyncPrefectClient, nightly: UUID) -> list[FlowRun]:
    """The runs of the schedule that were due and did not begin."""
    due = {"before_": datetime.now(UTC).isoformat()}
    return _scheduled(client, nightly, ["SCHEDULED"], next_scheduled_start_time=due)


def _crashed(client: SyncPrefectClient, nightly: UUID) -> list[FlowRun]:
    """The last run that began, if it is of the schedule and was killed."""
    began = ["RUNNING", "COMPLETED", "FAILED", "CRASHED"]
    return [run for run in _scheduled(client, nightly, began, limit=1) if run.state_type is StateType.CRASHED]


def _scheduled(
    client: SyncPrefectClient, nightly: UUID, states: list[str], *, limit: int | None = None, **terms: Any
) -> list[FlowRun]:
    """Of the latest runs in these states, those of the schedule."""
    runs = client.read_flow_runs(
        deployment_filter=DeploymentFilter.model_validate({"id": {"any_": [nightly]}}),
        flow_run_filter=FlowRunFilter.model_validate({"state": {"type": {"any_": states}}, **terms}),
        sort=FlowRunSort.START_TIME_DESC,
        limit=limit,
    )
    return [run for run in runs if run.auto_scheduled]


def _say(line: str) -> None:
    err.print(line, markup=False)
