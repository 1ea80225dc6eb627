"""What is deployed to Kubernetes is what is deployed to processes, but for where it runs."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from flows.settings import PREFIX, setting_names

ROOT = Path(__file__).parent.parent.parent
FILE = yaml.safe_load((ROOT / "prefect-kubernetes.yaml").read_text())
PROCESSES = {found["name"]: found for found in yaml.safe_load((ROOT / "prefect.yaml").read_text())["deployments"]}


@pytest.mark.parametrize("deployment", FILE["deployments"], ids=lambda deployment: deployment["name"])
def test_a_deployment_is_the_one_of_prefect_yaml(deployment: dict) -> None:
    process = PROCESSES[deployment["name"]]
    assert deployment | {"work_pool": None} == process | {"work_pool": None}
    assert deployment["work_pool"]["name"] == FILE["definitions"]["pool"]["name"] != process["work_pool"]["name"]


def test_its_environment_names_settings() -> None:
    known = {PREFIX + name.replace(".", "__").upper() for name in setting_names()}
    assert set(FILE["definitions"]["pool"]["job_variables"]["env"]) <= known
