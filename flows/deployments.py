"""What can be run from the Prefect page: the deployments, as `fivefold serve` registers them and prefect.yaml says."""

from __future__ import annotations

from typing import Any

from prefect import Flow
from prefect.client.schemas.objects import ConcurrencyLimitConfig, ConcurrencyLimitStrategy
from prefect.deployments.runner import EntrypointType, RunnerDeployment
from prefect.schedules import Cron, Schedule

from flows.settings import Settings
from warehouse.sources import open_source

# Of the same home a second night would only repeat the first; whatever else is asked for waits for its turn.
_CANCELLED = ConcurrencyLimitConfig(limit=1, collision_strategy=ConcurrencyLimitStrategy.CANCEL_NEW)
_QUEUED = ConcurrencyLimitConfig(limit=1, collision_strategy=ConcurrencyLimitStrategy.ENQUEUE)


def deployments(settings: Settings, *, paused: bool = False) -> list[RunnerDeployment]:
    """All four under these settings: nightly, weekly-tune, backfill, rollback. `paused` holds the schedules back."""
    from flows.nightly import nightly
    from flows.on_request import backfill, rollback
    from flows.tune import tune

    home = settings.model_copy(update={"home": settings.home.resolve()})
    zone = schedule_time_zone(settings)

    def deployed(flow: Flow[..., Any], name: str, tag: str, limit: ConcurrencyLimitConfig, cron: str = "") -> Any:
        return flow.to_deployment(
            name=name,
            description=(flow.fn.__doc__ or "").strip(),
            tags=["fivefold", tag],
            schedule=_schedule(cron, zone),
            parameters={"settings": home.model_dump(mode="json")},
            concurrency_limit=limit,
            paused=paused,
            entrypoint_type=EntrypointType.MODULE_PATH,
        )

    return [
        deployed(nightly, "nightly", "night", _CANCELLED, settings.schedule.cron),
        deployed(tune, "weekly-tune", "model", _CANCELLED, settings.schedule.tune_cron),
        deployed(backfill, "backfill", "night", _QUEUED),
        deployed(rollback, "rollback", "release", _QUEUED),
    ]


def schedule_time_zone(settings: Settings) -> str:
    """The schedule's own time zone, else the shop's, else that of its source."""
    for chosen in (settings.schedule.time_zone, settings.time_zone):
        if chosen != "auto":
            return chosen
    return open_source(settings.source).time_zone


def _schedule(cron: str, zone: str) -> Schedule | None:
    return Cron(cron, timezone=zone) if cron else None
