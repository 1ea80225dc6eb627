"""A backfill and a rollback that somebody asks for on the Prefect page."""

from __future__ import annotations

import json
import shutil
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest
from prefect.client.orchestration import get_client

from flows import on_request
from flows.messages import STOPPED
from flows.on_request import backfill, rollback
from flows.tonight import Outcome
from tests.flows.conftest import Released, tiny_settings
from tests.shop import Shop


def test_a_backfill_of_finished_days_has_nothing_to_do(
    released: Released, tmp_path: Path, shop_folder: Path, shop: Shop
) -> None:
    home = shutil.copytree(released.home, tmp_path / "home", symlinks=True)
    day = shop.as_of_date
    state = backfill(day, day, settings=tiny_settings(home, shop_folder), return_state=True)
    assert state.is_completed() and "finished" in str(state.message)
    assert not list((home / "flow_runs").iterdir())


def test_a_backfill_ends_as_its_last_night(
    prefect_server: str, tmp_path: Path, shop_folder: Path, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    stopped = Outcome(status="stopped", message="data gate: no.", run_id="r", as_of_date=shop.as_of_date, seconds=1.5)
    asked = []
    monkeypatch.setattr(on_request, "run_backfill", lambda *days, **how: asked.append((days, how)) or [stopped])
    first = shop.as_of_date - timedelta(days=1)
    settings = tiny_settings(tmp_path, shop_folder)
    state = backfill(first, shop.as_of_date, settings=settings, return_state=True)
    assert asked == [((settings, first, shop.as_of_date, 1), {"force": False, "is_quiet": True})]
    assert state.is_failed() and state.name == STOPPED
    assert str(state.message) == f"night of {shop.as_of_date}: data gate: no."
    with get_client(sync_client=True) as client:
        run: UUID | None = state.state_details.flow_run_id
        (table,) = [artifact for artifact in client.read_artifacts() if artifact.flow_run_id == run]
    assert [row["ended"] for row in json.loads(str(table.data))] == ["stopped"]


def test_a_rollback_without_an_earlier_release_says_so(released: Released, tmp_path: Path, shop_folder: Path) -> None:
    home = shutil.copytree(released.home, tmp_path / "home", symlinks=True)
    state = rollback("for a test", settings=tiny_settings(home, shop_folder), return_state=True)
    assert state.is_failed() and "there is no earlier release" in str(state.message)
    readers = released.link.readlink()
    assert (home / "published.duckdb").readlink() == readers
