"""Every night at two: the deployment, and the process that runs it."""

from __future__ import annotations

from typing import Any

from prefect import serve
from prefect.client.schemas.objects import ConcurrencyLimitConfig, ConcurrencyLimitStrategy
from prefect.deployments.runner import EntrypointType, RunnerDeployment
from prefect.schedules import Cron

from flows.prefect_server import lasting_server
from flows.settings import Settings
from warehouse.sources import open_source


def serve_nightly(settings: Settings, *, paused: bool = False) -> None:
    """Register the nightly deployment and run its nights until interrupted; starts a server where none is."""
    with lasting_server():
        # The schedule stays when this process goes: a restart after a reboot finds its night waiting.
        serve(nightly_deployment(settings, paused=paused), limit=1, pause_on_shutdown=False)


def nightly_deployment(settings: Settings, *, paused: bool = False) -> RunnerDeployment:
    """The deployment `nightly/nightly` under these settings, as in prefect.yaml. A second night of the same home is
    cancelled, not queued: it would only repeat the first."""
    from flows.nightly import nightly

    deployment: Any = nightly.to_deployment(
        name="nightly",
        description="One night: feeds in, decisions out.",
        tags=["fivefold"],
        schedule=Cron(settings.schedule.cron, timezone=schedule_time_zone(settings)),
        parameters={"settings": settings.model_copy(update={"home": settings.home.resolve()}).model_dump(mode="json")},
        concurrency_limit=ConcurrencyLimitConfig(limit=1, collision_strategy=ConcurrencyLimitStrategy.CANCEL_NEW),
        paused=paused,
        entrypoint_type=EntrypointType.MODULE_PATH,
    )
    return deployment


def schedule_time_zone(settings: Settings) -> str:
    """The schedule's own time zone, else the shop's, else that of its source."""
    for chosen in (settings.schedule.time_zone, settings.time_zone):
        if chosen != "auto":
            return chosen
    return open_source(settings.source).time_zone
