"""A backfill over nights that only release: which are run, what readers see in the end, also after a kill -9."""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
from contextlib import nullcontext
from datetime import date, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from flows import backfill, work
from flows.cli import app
from flows.rollback import all_releases, run_rollback
from flows.settings import Settings
from flows.tonight import Outcome
from flows.work import identity, plan_night
from tests.flows.conftest import tiny_settings
from warehouse import diary, lock
from warehouse.connect import open_warehouse
from warehouse.migrate import migrate
from warehouse.release import Shelf, next_release, prune, put_on_shelf
from warehouse.release_file import build_file

FIRST = date(2024, 7, 1)
DAYS = [FIRST + timedelta(days=offset) for offset in range(5)]
KEPT_FILES = 3


def release_night(settings: Settings, day: date, *, force: bool = False, is_quiet: bool = False) -> Outcome:
    """A night that does nothing but release; force and quiet are those of `run_night`."""
    night = plan_night(settings, day)
    shelf = Shelf(night.published_folder, night.published_link)
    with lock.writing(night.home, "a test's night"), open_warehouse(night.warehouse_path) as con:
        migrate(con)
        diary.start_run(con, identity(night))
        shelf.tidy()
        release = next_release(con, shelf, night.run_id, day, "a test's night", "test")
        build_file(con, shelf.draft(night.run_id), release)
        put_on_shelf(con, shelf, release)
        prune(shelf, KEPT_FILES)
        diary.finish_run(con, night.run_id, "released")
    return Outcome(status="released", message="released", run_id=night.run_id, as_of_date=day, seconds=1.0)


@pytest.fixture
def settings(tmp_path: Path, shop_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Of one code, though somebody edits it while the tests run."""
    monkeypatch.setattr(work, "code_version", lambda: "1")
    return tiny_settings(tmp_path / "home", shop_folder)


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> list[date]:
    """The days whose night was run."""
    days: list[date] = []

    def note(settings: Settings, day: date, **how: bool) -> Outcome:
        days.append(day)
        return release_night(settings, day)

    use(monkeypatch, note)
    return days


def use(monkeypatch: pytest.MonkeyPatch, run_night) -> None:
    monkeypatch.setattr(backfill, "run_night", run_night)
    monkeypatch.setattr(backfill, "prefect_at_hand", lambda settings: nullcontext())


def shown(settings: Settings) -> date:
    """What readers see, as the link and the diary say."""
    last = all_releases(settings.home)[-1]
    assert last.is_current and (settings.home / "published.duckdb").readlink().name == last.file_name
    return last.as_of_date


def statuses(outcomes: list[Outcome]) -> list[str]:
    return [outcome.status for outcome in outcomes]


def test_every_day_of_the_range_is_run_once(settings: Settings, run: list[date]) -> None:
    assert statuses(backfill.run_backfill(settings, DAYS[0], DAYS[4], 2)) == ["released"] * 3
    assert run == DAYS[::2] and shown(settings) == DAYS[4]
    outcomes = backfill.run_backfill(settings, DAYS[0], DAYS[4], 1)
    assert statuses(outcomes) == ["finished", "released", "finished", "released", "finished"]
    assert [outcome.as_of_date for outcome in outcomes] == DAYS
    # The last night that was run is not the latest.
    assert run[3:] == [DAYS[1], DAYS[3]] and shown(settings) == DAYS[4]
    assert backfill.in_words(outcomes) == "2 nights run, 3 were finished before"
    assert backfill.in_words(backfill.run_backfill(settings, DAYS[0], DAYS[4], 1)) == (
        "no night to run, 5 were finished before"
    )
    assert statuses(backfill.run_backfill(settings, DAYS[3], DAYS[3], 1, force=True)) == ["released"]
    assert run[5:] == [DAYS[3]] and shown(settings) == DAYS[4]


def test_readers_of_a_later_day_get_it_back_though_more_nights_follow_than_files_are_kept(
    settings: Settings, run: list[date]
) -> None:
    later = DAYS[4] + timedelta(days=30)
    release_night(settings, later)
    backfill.run_backfill(settings, DAYS[0], DAYS[4], 1)
    assert run == DAYS and shown(settings) == later


def test_whom_somebody_led_back_stay_there(settings: Settings, run: list[date]) -> None:
    """Also when there is nothing to run."""
    backfill.run_backfill(settings, DAYS[0], DAYS[2], 1)
    run_rollback(settings.home, None, "for a test")
    backfill.run_backfill(settings, DAYS[0], DAYS[2], 1)
    assert len(run) == 3 and shown(settings) == DAYS[1]


def _run_and_be_killed(settings: Settings) -> None:
    def be_killed_on_the_third(settings: Settings, day: date, **how: bool) -> Outcome:
        if day == DAYS[2]:
            with lock.writing(settings.home, "a night to be killed"):
                os.kill(os.getpid(), signal.SIGKILL)
        return release_night(settings, day)

    work.code_version = lambda: "1"
    backfill.run_night = be_killed_on_the_third
    backfill.prefect_at_hand = lambda settings: nullcontext()  # type: ignore[assignment, misc]
    backfill.run_backfill(settings, DAYS[0], DAYS[4], 1)


def test_a_killed_backfill_goes_on_where_it_was_and_gives_readers_their_day_back(
    settings: Settings, run: list[date]
) -> None:
    later = DAYS[4] + timedelta(days=30)
    release_night(settings, later)
    child = multiprocessing.get_context("spawn").Process(target=_run_and_be_killed, args=(settings,))
    child.start()
    child.join()
    assert child.exitcode == -signal.SIGKILL and shown(settings) == DAYS[1]
    outcomes = backfill.run_backfill(settings, DAYS[0], DAYS[4], 1)
    assert statuses(outcomes) == ["finished"] * 2 + ["released"] * 3
    assert run == DAYS[2:] and shown(settings) == later


def test_the_first_night_that_does_not_end_well_ends_it(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    def stop_on_the_second(settings: Settings, day: date, **how: bool) -> Outcome:
        if day == DAYS[0]:
            return release_night(settings, day)
        return Outcome(status="stopped", message="data gate: no.", run_id="r", as_of_date=day, seconds=1.0)

    use(monkeypatch, stop_on_the_second)
    command = ["backfill", str(DAYS[0]), str(DAYS[4]), "--home", str(settings.home), "--source", settings.source]
    told = CliRunner().invoke(app, command)
    assert told.exit_code == 3
    assert f"{DAYS[1]}" in told.stdout and "stopped" in told.stdout and f"{DAYS[2]}" not in told.stdout
    assert "data gate: no." in told.stderr
    answer = CliRunner().invoke(app, [*command, "--json"])
    assert [night["status"] for night in json.loads(answer.stdout)] == ["finished", "stopped"]
    assert answer.exit_code == 3


def test_a_range_that_ends_before_it_begins_is_wrong_use(settings: Settings) -> None:
    told = CliRunner().invoke(app, ["backfill", str(DAYS[1]), str(DAYS[0]), "--home", str(settings.home)])
    assert told.exit_code == 2 and "Remedy" in told.stderr
