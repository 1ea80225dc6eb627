"""Promises under fire, the short way: `make chaos` has the long one, with whole nights and more of everything."""

from __future__ import annotations

from pathlib import Path

import pytest
from chaos import machine, readers, stages, trials
from chaos.stages import Stage

from flows.settings import load_settings
from flows.work import at_work
from warehouse.connect import open_warehouse
from warehouse.diary import ClockBehind

needs_mounts = pytest.mark.skipif(not machine.can_mount(), reason="no mount name space: run as root to try disks")


@pytest.fixture(scope="module")
def publishing_and_back(tmp_path_factory: pytest.TempPathFactory) -> tuple[Stage, Stage]:
    return stages.publishing(tmp_path_factory.mktemp("windows"))


@pytest.mark.parametrize("number", [0, 1], ids=["publishing", "rollback"])
def test_a_kill_at_any_change_of_a_name_is_never_noticed(
    publishing_and_back: tuple[Stage, Stage], number: int, tmp_path: Path
) -> None:
    tried = list(trials.at_every_change(publishing_and_back[number], tmp_path / "home"))
    assert len(tried) >= (6, 3)[number]
    assert not [trial for trial in tried if trial.faults]
    if number == 0:
        assert any("was killed" in trial.said for trial in tried)
        assert any("removed the file of night" in trial.said or "drafts" in trial.said for trial in tried)
        assert any("readers see night" in trial.said for trial in tried)


def test_readers_meet_one_night_at_a_time_and_no_error(tmp_path: Path) -> None:
    contest = readers.contest(tmp_path, readers=3, publishes=2)
    met = contest.readings
    assert (met.errors, met.mixed) == (0, 0), met.first_error
    assert met.queries > 0 and len(met.nights) >= 2


@needs_mounts
@pytest.mark.parametrize(
    ("trouble", "words"),
    [
        (lambda stage, home: machine.full_disk(stage, home, free_megabytes=0.5), "the disk is full"),
        (machine.read_only, "cannot be written: Read-only file system"),
    ],
    ids=["full disk", "read-only"],
)
def test_a_machine_in_trouble_says_so_once_and_loses_nothing(
    publishing_and_back: tuple[Stage, Stage], trouble, words: str, tmp_path: Path
) -> None:
    met = trouble(publishing_and_back[0], tmp_path / "home")
    assert met.code == 1 and words in met.said and "Remedy" in met.said
    assert met.faults == ()


def test_a_clock_that_was_moved_back_stops_a_night_that_names_no_day(shop_folder: Path, tmp_path: Path) -> None:
    settings = load_settings(home=tmp_path / "home", source=f"files:{shop_folder}")
    with at_work(settings, None, [], ()) as work:
        day = work.night.as_of_date
    with open_warehouse(settings.home / "warehouse.duckdb") as con:
        con.execute("update ops.runs set finished_at = finished_at + interval 3 hours")
    with pytest.raises(ClockBehind, match=r"moved back.*Remedy"), at_work(settings, None, [], ()):
        pass
    with at_work(settings, day, [], ()):
        pass
    with at_work(settings, None, [], ()) as work:
        assert work.night.as_of_date == day
