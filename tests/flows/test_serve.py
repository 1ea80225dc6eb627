"""What `fivefold serve` registers and prefect.yaml deploys, and the night that was due while nothing ran."""

from __future__ import annotations

import importlib
import os
import shutil
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest
import yaml
from prefect.client.orchestration import get_client
from prefect.client.schemas.actions import WorkPoolCreate
from prefect.client.schemas.filters import DeploymentFilter, FlowRunFilter
from prefect.client.schemas.objects import ConcurrencyLimitStrategy, FlowRun
from prefect.states import Crashed, Running, Scheduled

from flows.deployments import deployments, schedule_time_zone
from flows.serve import backfill_last, catch_up
from flows.settings import Settings, load_settings
from mtl_models.config import ModelConfig
from tests.shop import Shop

ROOT = Path(__file__).parent.parent.parent
DEPLOYED = yaml.safe_load((ROOT / "prefect.yaml").read_text())["deployments"]
NAMES = ["nightly", "weekly-tune", "backfill", "rollback"]


def served(settings: Settings) -> dict:
    return {deployment.name: deployment for deployment in deployments(settings)}


def runs_of(deployment: UUID, *states: str) -> list[FlowRun]:
    with get_client(sync_client=True) as client:
        return client.read_flow_runs(
            deployment_filter=DeploymentFilter.model_validate({"id": {"any_": [deployment]}}),
            flow_run_filter=FlowRunFilter.model_validate({"state": {"type": {"any_": list(states)}}}),
        )


def scheduled_runs(deployment: UUID) -> list[FlowRun]:
    """The runs that wait to be started; the scheduler looks every few seconds."""
    deadline = time.monotonic() + 60
    found: list[FlowRun] = []
    while not found and time.monotonic() < deadline:
        found = runs_of(deployment, "SCHEDULED")
        time.sleep(0.5)
    return found


def test_serve_registers_a_night_that_gets_scheduled(prefect_server: str, tmp_path: Path) -> None:
    settings = load_settings(
        home=tmp_path, time_zone="Europe/Berlin", model={"max_epochs": 3}, notify=["json://secret"]
    )
    identifier = served(settings)["nightly"].apply()
    with get_client(sync_client=True) as client:
        deployed = client.read_deployment(identifier)
    (schedule,) = deployed.schedules
    assert (schedule.schedule.cron, schedule.schedule.timezone) == ("0 2 * * *", "Europe/Berlin")
    assert deployed.concurrency_options is not None
    assert deployed.concurrency_options.collision_strategy is ConcurrencyLimitStrategy.CANCEL_NEW
    assert deployed.global_concurrency_limit is not None and deployed.global_concurrency_limit.limit == 1
    assert deployed.parameters["settings"]["home"] == str(tmp_path)
    assert deployed.parameters["settings"]["model"]["max_epochs"] == 3
    assert "secret" not in deployed.model_dump_json()
    assert scheduled_runs(identifier)


@pytest.mark.parametrize("name", NAMES)
def test_every_parameter_of_a_run_form_is_described(name: str) -> None:
    deployment = served(load_settings())[name]
    schema = deployment._parameter_openapi_schema.model_dump()
    assert all(field["description"] for field in schema["properties"].values())
    assert set(schema.get("required", [])) == {"backfill": {"first", "last"}, "rollback": {"reason"}}.get(name, set())
    assert "fivefold" in deployment.tags and deployment.description
    assert "notify" not in schema["definitions"]["Settings"]["properties"]
    model = schema["definitions"]["ModelConfig"]["properties"]["max_epochs"]
    assert model["description"] and model["default"] == ModelConfig().max_epochs


@pytest.mark.parametrize(
    ("flags", "zone"),
    [
        ({}, "Europe/Berlin"),
        ({"source": "completejourney"}, "America/New_York"),
        ({"time_zone": "Asia/Tokyo"}, "Asia/Tokyo"),
        ({"time_zone": "Asia/Tokyo", "schedule": {"time_zone": "UTC"}}, "UTC"),
    ],
)
def test_the_schedule_runs_on_the_shop_s_clock(flags: dict, zone: str) -> None:
    assert schedule_time_zone(load_settings(**flags)) == zone


def test_what_has_no_cron_runs_when_asked_for_only() -> None:
    on_request = served(load_settings(schedule={"cron": "", "tune_cron": ""}))
    assert all(not deployment.schedules for deployment in on_request.values())


@pytest.mark.parametrize("deployed", DEPLOYED, ids=lambda deployed: deployed["name"])
def test_prefect_yaml_says_the_same_as_serve(deployed: dict) -> None:
    deployment = served(load_settings())[deployed["name"]]
    module, _, flow = deployed["entrypoint"].removesuffix(".py").replace(".py:", ":").partition(":")
    resolved = getattr(importlib.import_module(module.replace("/", ".")), flow)
    assert f"{resolved.__module__}.{resolved.fn.__name__}" == deployment.entrypoint
    assert deployed["tags"] == deployment.tags
    assert deployed["schedules"] == [
        {"cron": schedule.schedule.cron, "timezone": schedule.schedule.timezone, "active": True}
        for schedule in deployment.schedules or ()
    ]
    assert deployed["concurrency_limit"] == {
        "limit": deployment.concurrency_limit,
        "collision_strategy": deployment.concurrency_options.collision_strategy.value,
    }


def test_prefect_yaml_deploys_to_a_work_pool(prefect_server: str, tmp_path: Path) -> None:
    for name in ("flows", "tasks", "mtl_models", "warehouse", "prefect.yaml"):
        (tmp_path / name).symlink_to(ROOT / name)
    with get_client(sync_client=True) as client:
        client.create_work_pool(WorkPoolCreate(name="fivefold", type="process"))
    prefect = shutil.which("prefect", path=str(Path(sys.executable).parent))
    assert prefect
    said = subprocess.run(
        [prefect, "--no-prompt", "deploy", "--all"],
        cwd=tmp_path,
        env={**os.environ, "PREFECT_API_URL": prefect_server},
        capture_output=True,
        text=True,
        check=False,
    )
    assert said.returncode == 0, said.stdout + said.stderr
    with get_client(sync_client=True) as client:
        deployed = {
            deployment.name: deployment
            for deployment in client.read_deployments()
            if deployment.work_pool_name == "fivefold"
        }
    assert sorted(deployed) == sorted(NAMES)
    assert scheduled_runs(deployed["nightly"].id)


def test_nights_that_were_missed_are_made_up_for_by_one(prefect_server: str, tmp_path: Path) -> None:
    identifier = served(load_settings(home=tmp_path))["nightly"].apply()
    assert catch_up(identifier) is None
    with get_client(sync_client=True) as client:
        due = scheduled_runs(identifier)[:2]
        for days, run in enumerate(due, start=1):
            then = Scheduled(scheduled_time=datetime.now(UTC) - timedelta(days=days))
            client.set_flow_run_state(run.id, then, force=True)
        night = catch_up(identifier)
        assert night is not None and "caught-up" in night.tags
        for run in due:
            state = client.read_flow_run(run.id).state
            assert state is not None and state.is_cancelled() and str(night.id) in str(state.message)
        assert catch_up(identifier) is None
        client.delete_flow_run(night.id)


def test_a_night_that_was_killed_is_made_up_for_once(prefect_server: str, tmp_path: Path) -> None:
    deployment = served(load_settings(home=tmp_path))["nightly"]
    deployment.name = "killed"
    identifier = deployment.apply()
    with get_client(sync_client=True) as client:
        killed, by_hand = scheduled_runs(identifier)[0], client.create_flow_run_from_deployment(identifier)
        client.set_flow_run_state(killed.id, Running(), force=True)
        assert catch_up(identifier) is None, "it is at work"
        client.set_flow_run_state(killed.id, Crashed(), force=True)
        night, again = catch_up(identifier), catch_up(identifier)
        assert night is not None and again is not None and again.id == night.id
        client.set_flow_run_state(by_hand.id, Running(), force=True)
        client.set_flow_run_state(by_hand.id, Crashed(), force=True)
        assert catch_up(identifier) is None, "who started that one saw it"
        for run in (night, by_hand):
            client.delete_flow_run(run.id)


def test_the_last_nights_are_asked_for_as_one_backfill(
    prefect_server: str, tmp_path: Path, shop_folder: Path, shop: Shop
) -> None:
    settings = load_settings(home=tmp_path, source=f"files:{shop_folder}")
    identifier = served(settings)["backfill"].apply()
    first = shop.as_of_date - timedelta(days=2)
    assert backfill_last(identifier, settings, 3) == f"backfill {first} to {shop.as_of_date}"
    (run,) = runs_of(identifier, "SCHEDULED")
    assert (run.parameters["first"], run.parameters["last"]) == (str(first), str(shop.as_of_date))
    assert run.parameters["settings"]["source"] == settings.source
    with get_client(sync_client=True) as client:
        client.delete_flow_run(run.id)
