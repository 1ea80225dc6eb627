"""The command line as a person or a script meets it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from flows.cli import app
from tests.flows.quickness import times_bare

run = CliRunner().invoke
COMMANDS = ["run", "backfill", "what-if", "simulate", "tune", "sql", "status", "report", "export", "rollback", "serve"]
COMMANDS += ["plan", "doctor"]
FEEDS_COMMANDS = ["list", "describe", "check"]


def fivefold(*arguments: str, folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """The installed command in a process of its own."""
    command = [str(Path(sys.executable).with_name("fivefold")), *arguments]
    return subprocess.run(
        command, cwd=folder, env={**os.environ, **environment}, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize("command", [*([name] for name in COMMANDS), *(["feeds", name] for name in FEEDS_COMMANDS)])
def test_every_command_has_help_with_an_example(command: list[str]) -> None:
    answer = run(app, [*command, "--help"], terminal_width=200)
    assert answer.exit_code == 0
    assert f"Example: fivefold {' '.join(command)}" in " ".join(answer.stdout.split())


def test_there_is_no_command_without_a_test_of_its_help() -> None:
    group = typer.main.get_command(app)
    assert sorted(group.commands) == sorted([*COMMANDS, "feeds"])  # type: ignore[attr-defined]
    assert sorted(group.commands["feeds"].commands) == sorted(FEEDS_COMMANDS)  # type: ignore[attr-defined]


def test_help_imports_no_heavy_library() -> None:
    heavy = ("torch", "prefect", "duckdb", "polars", "pydantic")
    code = f"import sys, flows.cli; print([name for name in {heavy} if name in sys.modules])"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert said.strip() == "[]"


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["run", "--as-of", "yesterday"], 2, "yesterday"),
        (["runn"], 2, "runn"),
        (["backfill", "2024-01-01"], 2, "TO"),
        (["simulate", "--nights", "0"], 2, "nights"),
        (["simulate", "--nights", "2", "--policy", "jont"], 2, "jont"),
        (["backfill", "2024-01-01", "2024-01-03", "--every", "weekly"], 2, "7d"),
        (["rollback"], 2, "reason"),
        (["what-if"], 2, "--price or a --promotion"),
        (["export", "out"], 1, "fivefold run"),
        (["feeds", "describe", "order_line"], 2, "order_lines"),
        (["feeds", "check", "/no/such/folder"], 2, "/no/such/folder"),
        (["plan", "--users", "1.5", "--products", "9", "--events", "9"], 2, "50e6"),
        (["plan", "--users", "0", "--products", "9", "--events", "9"], 2, "Remedy: a number from 1"),
        (["sql", "select 1"], 1, "fivefold run"),
        (["rollback", "--reason", "x"], 1, "fivefold run"),
    ],
)
def test_wrong_use_and_missing_nights(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], code: int, words: str
) -> None:
    monkeypatch.chdir(tmp_path)
    answer = run(app, arguments, terminal_width=200)
    assert answer.exit_code == code
    assert words in answer.stderr


@pytest.mark.parametrize(
    ("arguments", "environment", "code", "words"),
    [
        (["status"], {"FIVEFOLD_MODEL__SHARNG": "hard"}, 2, "FIVEFOLD_MODEL__SHARING"),
        (["doctor", "--source", "compeltejourney"], {}, 1, "completejourney"),
        (["backfill", "2024-01-03", "2024-01-01", "--source", "completejourney"], {}, 2, "FROM before TO"),
        (["simulate", "--nights", "2", "--size", "tyny"], {}, 1, "'tiny'"),
    ],
)
def test_an_error_is_one_message_with_a_remedy(
    tmp_path: Path, arguments: list[str], environment: dict[str, str], code: int, words: str
) -> None:
    answer = fivefold(*arguments, folder=tmp_path, **environment)
    assert answer.returncode == code
    said = answer.stderr + answer.stdout
    assert words in said and "Remedy: " in said and "Traceback" not in said


def test_debug_shows_the_traceback(tmp_path: Path) -> None:
    assert "Traceback" in fivefold("--debug", "status", folder=tmp_path, FIVEFOLD_MODL="1").stderr


def test_status_before_the_first_night(tmp_path: Path) -> None:
    answer = run(app, ["status", "--json", "--home", str(tmp_path)])
    assert answer.exit_code == 0
    assert json.loads(answer.stdout)["release"] is None


def test_feeds_are_listed_and_described() -> None:
    listed = {row["feed"]: row["is_essential"] for row in json.loads(run(app, ["feeds", "list", "--json"]).stdout)}
    assert [feed for feed, essential in listed.items() if essential] == ["users", "products", "orders", "order_lines"]
    assert "raw.order_lines" in run(app, ["feeds", "describe", "order_lines"]).stdout


def test_a_good_folder_passes_the_check(shop_folder: Path) -> None:
    answer = run(app, ["feeds", "check", str(shop_folder), "--json"])
    assert answer.exit_code == 0
    assert {finding["severity"] for finding in json.loads(answer.stdout)} <= {"info", "warning"}


def test_an_empty_folder_fails_the_check(tmp_path: Path) -> None:
    answer = run(app, ["feeds", "check", str(tmp_path)])
    assert answer.exit_code == 1
    assert "FAIL  orders" in answer.stdout and "Remedy: " in answer.stdout


def test_help_is_quick(tmp_path: Path) -> None:
    """Half a second on a machine of its own, where a bare command line takes a sixth of one."""
    assert times_bare((str(Path(sys.executable).with_name("fivefold")), "--help"), tmp_path) < 3
