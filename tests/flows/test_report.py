"""The morning report as the last step of a night, and at the command line."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest
from prefect import flow
from typer.testing import CliRunner

from flows import nightly
from flows.cli import app
from flows.work import Work
from tasks.night import Night
from tests.flows.conftest import Released
from tests.shop import Shop
from warehouse.connect import open_memory
from warehouse.migrate import migrate


def test_a_report_that_fails_undoes_nothing(
    prefect_server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, step in list(vars(nightly).items()):
        if step in nightly.STEPS and step is not nightly.write:
            monkeypatch.setattr(nightly, name, lambda _work: None)
    night = Night(run_id="r1", as_of_date=date(2024, 7, 19), source="files:x", home=tmp_path)
    with open_memory() as con:
        migrate(con)
        work = Work(con, night, [step.name for step in nightly.STEPS], ())
        state = flow(lambda: nightly.run_steps(work, force=True), name="night")(return_state=True)
        noted = con.execute("select step, status, detail from ops.run_steps").fetchall()
    assert state.is_completed() and state.message == "released r1"
    ((step, status, detail),) = noted
    assert (step, status) == ("write_report", "failed") and "night r1 is not kept" in detail


def test_the_night_leaves_a_page(released: Released, shop: Shop) -> None:
    page = (released.home / "reports" / f"{shop.as_of_date}.html").read_text(encoding="utf-8")
    assert released.outcome.run_id in page and "</html>" in page


def test_the_page_anew(released: Released, shop: Shop) -> None:
    file = released.home / "reports" / f"{shop.as_of_date}.html"
    before = file.read_bytes()
    answer = CliRunner().invoke(app, ["report", "--json", "--home", str(released.home)])
    assert answer.exit_code == 0, answer.stderr
    assert json.loads(answer.stdout) == {"file": str(file), "bytes": len(before)}
    assert file.read_bytes() == before
    answer = CliRunner().invoke(app, ["report", "--as-of", "2001-01-01", "--home", str(released.home)])
    assert answer.exit_code == 1 and "Remedy" in answer.stderr and str(shop.as_of_date) in answer.stderr


def test_there_is_no_page_before_the_first_night(tmp_path: Path) -> None:
    answer = CliRunner().invoke(app, ["report", "--home", str(tmp_path)])
    assert answer.exit_code == 1 and "no nights yet" in answer.stderr


def test_the_page_opens_in_the_browser(released: Released, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []
    monkeypatch.setattr("webbrowser.open", lambda address: not opened.append(address))
    answer = CliRunner().invoke(app, ["report", "--open", "--home", str(released.home)])
    assert answer.exit_code == 0 and len(opened) == 1 and opened[0].startswith("file:///")
