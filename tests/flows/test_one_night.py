"""A whole night of the small shop, on a real Prefect server, and what it leaves behind."""

from __future__ import annotations

import json
import re
import sys
import time
from pathlib import Path

import pytest
from prefect.client.orchestration import get_client
from typer.testing import CliRunner

from flows.cli import app
from flows.look import look, query_published
from flows.nightly import STEPS
from tests.flows.conftest import Released
from tests.flows.quickness import times_bare
from tests.shop import Shop
from warehouse import lock
from warehouse.connect import open_read_only
from warehouse.contracts import PUBLISHED_TABLES

README = (Path(__file__).parent.parent.parent / "README.md").read_text()
QUERIES = re.findall(r"```sql\n(.*?)```", README, re.DOTALL)


def ask(released: Released, query: str) -> list[tuple[object, ...]]:
    return query_published(released.home, query)[1]


def test_the_night_is_released(released: Released, shop: Shop) -> None:
    assert (released.outcome.status, released.outcome.exit_code) == ("released", 0), released.outcome.message
    assert released.outcome.as_of_date == shop.as_of_date
    assert ask(released, "select run_id, status from ops.runs") == [(released.outcome.run_id, "released")]
    assert released.link.resolve().name == f"{released.outcome.run_id}.duckdb"


def test_every_step_is_in_the_diary(released: Released) -> None:
    morning = look(released.home)
    steps = [step.name for step in STEPS]
    nights = morning.nights
    assert [night["status"] for night in nights] == ["released"] and nights[0]["seconds"] > 0
    with open_read_only(released.home / "warehouse.duckdb") as con:
        noted = con.execute("select step, status from ops.run_steps order by started_at").fetchall()
    assert noted == [(step, "completed") for step in steps]


def test_published_tables_are_of_this_night(released: Released, shop: Shop) -> None:
    served = {row["head"] for row in look(released.home).heads if row["status"] == "released"}
    assert served, "not one head beats naive on a shop with known habits"
    for table in PUBLISHED_TABLES:
        mine = f"run_id = '{released.outcome.run_id}' and as_of_date = '{shop.as_of_date}'"
        counts = f"select count(*), count(*) filter ({mine}) from predictions.{table.name}_latest"
        ((rows, of_this_night),) = ask(released, counts)
        assert rows == of_this_night


def test_every_head_has_a_verdict_and_the_service_head_its_reason(released: Released) -> None:
    heads = {row["head"]: row for row in look(released.home).heads}
    assert set(heads) >= {"profile", "recommendation", "pricing", "supply", "service"}
    assert heads["service"]["status"] == "not_ready" and "service_tickets" in heads["service"]["reason"]


def test_what_was_published_is_kept_to_be_scored(released: Released) -> None:
    with open_read_only(released.home / "warehouse.duckdb") as con:
        for table in ("user_profiles", "demand_forecasts", "price_recommendations"):
            published, kept = (
                con.execute(f"select count(*) from {schema}.{table}").fetchall() for schema in ("predictions", "kept")
            )
            assert published == kept
    assert ask(released, "select count(*) from ops.outcomes") == [(0,)]


@pytest.mark.parametrize("query", QUERIES, ids=range(len(QUERIES)))
def test_the_readme_s_queries_run(released: Released, query: str) -> None:
    ask(released, query)


def test_the_readme_answers_each_of_its_queries() -> None:
    answers = re.findall(r"```sql\n[^`]*```\n```text\n([^`]+)```", README)
    assert len(answers) == len(QUERIES) >= 2


@pytest.mark.parametrize("format", ["table", "csv", "json"])
def test_sql_on_the_command_line(released: Released, format: str) -> None:
    query = "select run_id, 1.5 as number, null as nothing from ops.runs"
    answer = CliRunner().invoke(app, ["sql", query, "--format", format, "--home", str(released.home)])
    assert answer.exit_code == 0
    expected = {
        "csv": f"run_id,number,nothing\n{released.outcome.run_id},1.5,\n",
        "json": [{"run_id": released.outcome.run_id, "number": 1.5, "nothing": None}],
    }
    if format == "table":
        assert released.outcome.run_id in answer.stdout and "1.5" in answer.stdout
    else:
        assert (json.loads(answer.stdout) if format == "json" else answer.stdout) == expected[format]


@pytest.mark.parametrize(
    "query",
    [
        "delete from ops.runs",
        "select * from nowhere",
        "copy (select 1) to '/tmp/fivefold-must-not-exist.csv'",
        "select * from read_csv('/etc/passwd')",
        "install httpfs",
    ],
)
def test_sql_only_reads_what_is_published(released: Released, query: str) -> None:
    answer = CliRunner().invoke(app, ["sql", query, "--home", str(released.home)])
    assert answer.exit_code == 2 and "Remedy" in answer.stderr


def test_sql_is_quick(released: Released, tmp_path: Path) -> None:
    """A second on a machine of its own, where a bare command line takes a sixth of one."""
    fivefold = str(Path(sys.executable).with_name("fivefold"))
    assert times_bare((fivefold, "sql", "from ops.runs", "--home", str(released.home)), tmp_path) < 6


def test_status_as_json_and_while_a_night_runs(released: Released) -> None:
    def status() -> dict:
        answer = CliRunner().invoke(app, ["status", "--json", "--home", str(released.home)])
        assert answer.exit_code == 0
        return json.loads(answer.stdout)

    quiet = status()
    assert quiet["writer"] is None and quiet["release"]["run_id"] == released.outcome.run_id
    with lock.writing(released.home, "night of somebody"):
        busy = status()
    assert "night of somebody" in busy["writer"]
    assert busy["release"] == quiet["release"] and busy["heads"] == quiet["heads"]
    assert "readers see" in CliRunner().invoke(app, ["status", "--home", str(released.home)]).stdout


def test_the_prefect_page_has_names_tags_and_artifacts(released: Released, shop: Shop) -> None:
    with get_client(sync_client=True) as client:
        runs = [run for run in client.read_flow_runs() if run.parameters.get("settings", {}).get("home")]
        flow_run = next(run for run in runs if Path(run.parameters["settings"]["home"]) == released.home)
        assert flow_run.state is not None and flow_run.state.is_completed()
        artifacts = {a.key: a for a in client.read_artifacts() if a.flow_run_id == flow_run.id}
        deadline = time.monotonic() + 60
        names: set[str] = set()
        while len(names) < len(STEPS) and time.monotonic() < deadline:
            names = {run.name for run in client.read_task_runs() if run.flow_run_id == flow_run.id}
            time.sleep(0.5)
    assert flow_run.name == f"night of {shop.as_of_date}"
    assert len(names) == len(STEPS) and {f"train joint model {shop.as_of_date}"} < names
    bars = {artifacts[key].data for key in ("night-progress", "training-progress", "scoring-progress")}
    assert bars == {100.0}
    assert released.outcome.run_id in artifacts["night-summary"].data
    heads, actions = (json.loads(artifacts[key].data) for key in ("heads", "action-queue"))
    assert {"head", "value", "naive", "night before", "champion"} <= heads[0].keys()
    assert [action["rank"] for action in actions] == list(range(1, len(actions) + 1))


def test_what_each_table_was_made_from_is_an_event(released: Released) -> None:
    tables = {f"fivefold://predictions/{table.name}" for table in PUBLISHED_TABLES}
    deadline = time.monotonic() + 60
    made: set[str] = set()
    with get_client(sync_client=True) as client:
        while not tables <= made and time.monotonic() < deadline:
            body = {"filter": {"event": {"prefix": ["prefect.asset."]}}, "limit": 50}
            events = client._client.post("/events/filter", json=body).json()["events"]
            made |= {event["resource"]["prefect.resource.id"] for event in events}
            time.sleep(0.5)
    assert tables <= made
