"""A tune of the small shop, after its released night."""

from __future__ import annotations

import json
import shutil
import time
from pathlib import Path

import pytest
from prefect.client.orchestration import get_client
from typer.testing import CliRunner

from flows.cli import app
from flows.settings import load_settings
from flows.tuning import NothingToTune, Tuning, prepare
from flows.tuning_run import run_tune
from tests.flows.conftest import Released, tiny_settings
from warehouse import lock
from warehouse.connect import open_read_only


@pytest.fixture
def home(released: Released, tmp_path: Path) -> Path:
    assert released.outcome.exit_code == 0, released.outcome.message
    return shutil.copytree(released.home, tmp_path / "home", symlinks=True)


def test_a_tune_is_resumed_and_its_best_settings_are_written(
    home: Path, shop_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    tiny = tiny_settings(home, shop_folder)
    (tmp_path / "fivefold.toml").write_text(
        f'source = "{tiny.source}"\n[model]\nmax_epochs = 1\nbatch_rows = 512\nslot_width = 16\n'
    )
    first = run_tune(load_settings(home=home), 10, 1, False, is_quiet=True)
    assert (len(first.records), first.resumed, first.is_in_diary) == (1, 0, True)
    assert first.best.is_in_use and first.settings["model"]["slot_width"] == 16

    answer = CliRunner().invoke(app, ["tune", "--trials", "2", "--write", "--json", "--home", str(home)])
    assert answer.exit_code == 0, answer.output
    told = json.loads(answer.stdout)
    assert told["resumed"] == 1 and len(told["records"]) == 3
    assert told["best"]["value"] <= first.best.value
    model = load_settings(home=home).model
    tuned = told["settings"]["model"]
    assert {name: model.model_dump(mode="json")[name] for name in tuned} == tuned
    with open_read_only(home / "warehouse.duckdb") as con:
        rows = con.execute("select trial_number, state, value from ops.tuning_trials order by 1").fetchall()
    assert rows == [(record["number"], record["state"], record["value"]) for record in told["records"]]

    with get_client(sync_client=True) as client:
        deadline, names = time.monotonic() + 60, set()
        while len(names) < 3 and time.monotonic() < deadline:
            names = {run.name for run in client.read_task_runs() if run.name.startswith("trial ")}
            time.sleep(0.5)
        assert sorted(name.partition(":")[0] for name in names) == ["trial 0", "trial 1", "trial 2"]
        assert "trial 0: hard, fixed, joint" in names
        assert {"tuning-trials", "tuning-best"} <= {artifact.key for artifact in client.read_artifacts()}


def test_samples_are_read_under_the_lock_and_trials_made_without(home: Path, shop_folder: Path) -> None:
    tuning = prepare(tiny_settings(home, shop_folder), time.monotonic() + 600)
    with lock.writing(home, "night of somebody", patience_seconds=0):
        assert not tuning.tell_diary()
        with pytest.raises(lock.WarehouseBusy, match="night of somebody"):
            prepare(tiny_settings(home, shop_folder), 0.0)
    assert tuning.tell_diary()


class Counted:
    """A study that has these trials: (is it of the settings in use, seconds)."""

    def __init__(self, *trials: tuple[bool, float]) -> None:
        self.trials = trials

    def records(self) -> list[object]:
        return [type("R", (), {"is_in_use": u, "state": "completed", "seconds": s})() for u, s in self.trials]


@pytest.mark.parametrize(
    ("left", "trials", "has_time"),
    [
        (-1.0, [], True),
        (-1.0, [(False, 1.0)], True),
        (-1.0, [(True, 1.0)], False),
        (50.0, [(True, 40.0)], True),
        (50.0, [(True, 60.0)], False),
        (50.0, [(True, 60.0), (False, 20.0), (False, 30.0)], True),
    ],
)
def test_no_trial_begins_that_cannot_end_in_time(left: float, trials: list[tuple[bool, float]], has_time: bool) -> None:
    tuning = Tuning(None, None, Counted(*trials), time.monotonic() + left)  # type: ignore[arg-type]
    assert tuning.has_time() is has_time


def test_there_is_nothing_to_tune_before_the_first_night(tmp_path: Path, shop_folder: Path) -> None:
    with pytest.raises(NothingToTune, match="Remedy: fivefold run"):
        prepare(tiny_settings(tmp_path, shop_folder), 0.0)
