"""The schedule: what `fivefold serve` registers and what prefect.yaml deploys, on a real server with its scheduler."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from uuid import UUID

import pytest
import yaml
from prefect.client.orchestration import get_client
from prefect.client.schemas.actions import WorkPoolCreate
from prefect.client.schemas.filters import DeploymentFilter, FlowRunFilter
from prefect.client.schemas.objects import ConcurrencyLimitStrategy

from flows.serve import nightly_deployment, schedule_time_zone
from flows.settings import load_settings
from mtl_models.config import ModelConfig

ROOT = Path(__file__).parent.parent.parent


def scheduled_runs(deployment: UUID) -> int:
    """How many nights wait to be run; the scheduler looks every few seconds."""
    deadline = time.monotonic() + 60
    found = 0
    with get_client(sync_client=True) as client:
        while not found and time.monotonic() < deadline:
            runs = client.read_flow_runs(
                deployment_filter=DeploymentFilter.model_validate({"id": {"any_": [deployment]}}),
                flow_run_filter=FlowRunFilter.model_validate({"state": {"type": {"any_": ["SCHEDULED"]}}}),
            )
            found = len(runs)
            time.sleep(0.5)
    return found


def test_serve_registers_a_night_that_gets_scheduled(prefect_server: str, tmp_path: Path) -> None:
    settings = load_settings(home=tmp_path, time_zone="Europe/Berlin", model={"max_epochs": 3})
    identifier = nightly_deployment(settings).apply()
    with get_client(sync_client=True) as client:
        deployed = client.read_deployment(identifier)
    (schedule,) = deployed.schedules
    assert (schedule.schedule.cron, schedule.schedule.timezone) == ("0 2 * * *", "Europe/Berlin")
    assert deployed.concurrency_options is not None
    assert deployed.concurrency_options.collision_strategy is ConcurrencyLimitStrategy.CANCEL_NEW
    assert deployed.global_concurrency_limit is not None and deployed.global_concurrency_limit.limit == 1
    assert deployed.parameters["settings"]["home"] == str(tmp_path)
    assert deployed.parameters["settings"]["model"]["max_epochs"] == 3
    assert scheduled_runs(identifier) >= 1


def test_the_run_form_explains_every_setting(prefect_server: str) -> None:
    schema = nightly_deployment(load_settings())._parameter_openapi_schema.model_dump()
    assert set(schema["properties"]) == {"as_of_date", "force", "settings"}
    assert all(field["description"] for field in schema["properties"].values())
    assert schema.get("required", []) == []
    model = schema["definitions"]["ModelConfig"]["properties"]
    assert model["max_epochs"]["description"]
    assert model["max_epochs"]["default"] == ModelConfig().max_epochs


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


def test_prefect_yaml_says_the_same_as_serve() -> None:
    (deployment,) = yaml.safe_load((ROOT / "prefect.yaml").read_text())["deployments"]
    served = nightly_deployment(load_settings())
    (schedule,) = served.schedules or ()
    assert deployment["name"] == served.name
    assert deployment["schedules"] == [
        {"cron": schedule.schedule.cron, "timezone": schedule.schedule.timezone, "active": True}
    ]
    assert deployment["concurrency_limit"] == {"limit": 1, "collision_strategy": "CANCEL_NEW"}


def test_prefect_yaml_deploys_a_night_that_gets_scheduled(prefect_server: str, tmp_path: Path) -> None:
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
        deployed = client.read_deployment_by_name("nightly/nightly")
    assert deployed.work_pool_name == "fivefold"
    assert scheduled_runs(deployed.id) >= 1
