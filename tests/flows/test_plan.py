"""`fivefold plan` as a person or a script meets it, in a home with a night and in one without."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from flows.cli import app
from flows.nightly import STEPS
from flows.plan import own_night
from tasks.planning.estimate import BETWEEN, WORK
from tests.flows.conftest import Released
from tests.shop import Shop
from warehouse import lock

MEDIUM = ["plan", "--users", "50e3", "--products", "5_000", "--events", "16e6"]


def plan(*arguments: str) -> dict[str, Any]:
    answer = CliRunner().invoke(app, [*MEDIUM, *arguments, "--json"])
    assert answer.exit_code == 0, answer.output
    return json.loads(answer.stdout)


def test_every_step_of_a_night_is_planned() -> None:
    assert [*WORK] == [*(step.name for step in STEPS), BETWEEN]


def test_a_home_without_a_night_rests_on_the_kept_ones(tmp_path: Path) -> None:
    told = plan("--home", str(tmp_path / "none"))
    assert told["night"]["cpu_s"] == pytest.approx(sum(step["cpu_s"] for step in told["estimate"]["steps"]))
    assert told["estimate"]["shop"]["order_lines"] == 1_664_000
    assert "this home's first night" not in told["measured_on"]
    assert not (tmp_path / "none").exists(), "a plan writes nothing"


def test_a_home_with_a_night_rests_on_that(released: Released, shop: Shop) -> None:
    own = own_night(released.home)
    assert own and own.run_id == released.outcome.run_id
    assert {*own.clock_s} == {step.name for step in STEPS}
    assert (own.shop.products, own.shop.sites) == (shop.products, 2)
    assert own.run_id in plan("--home", str(released.home))["measured_on"]


def test_a_home_at_work_is_left_alone(released: Released) -> None:
    with lock.writing(released.home, "a test"):
        assert own_night(released.home) is None


def test_a_person_reads_what_gives_out_first(tmp_path: Path) -> None:
    told = CliRunner().invoke(app, [*MEDIUM, "--hours", "0.1", "--home", str(tmp_path)]).stdout
    for words in ("build_features", "What gives out first", "million", "cost class", "measured on"):
        assert words in told
    assert "engine ray with" in told or "neither engine" in told, "six minutes are not enough for one machine"
