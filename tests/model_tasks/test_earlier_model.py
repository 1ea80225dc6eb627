from __future__ import annotations

import json
import shutil
from datetime import timedelta
from pathlib import Path

import duckdb
import pytest

from mtl_models.config import ModelConfig
from tasks.earlier_model import has_learned_older_cutoffs, load_earlier
from tasks.gates import GateStopped
from tasks.night import Night
from tasks.progress import listening
from tasks.train_model import train_model
from tests.model_tasks.conftest import Done
from tests.model_tasks.small_warehouse import AS_OF, MODEL, begin, night_of
from warehouse import build

QUICK = MODEL.model_copy(update={"max_epochs": 1, "finish_epochs": 0})


def test_older_cutoffs_are_left_out_only_when_the_same_features_were_learned_on_an_earlier_day(
    small: duckdb.DuckDBPyConnection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = night_of(tmp_path, "night-1", AS_OF - timedelta(days=7), QUICK)
    begin(small, first)
    assert not has_learned_older_cutoffs(small, first)
    train_model(small, first)

    later = night_of(tmp_path, "night-2", AS_OF, QUICK)
    begin(small, later)
    assert has_learned_older_cutoffs(small, later)
    assert not has_learned_older_cutoffs(small, night_of(tmp_path, "again", AS_OF - timedelta(days=7), QUICK))
    cold = QUICK.model_copy(update={"warm_start": False})
    assert not has_learned_older_cutoffs(small, night_of(tmp_path, "night-2", AS_OF, cold))
    wider = QUICK.model_copy(update={"slot_width": 32})
    assert not has_learned_older_cutoffs(small, night_of(tmp_path, "night-2", AS_OF, wider))
    monkeypatch.setattr(build, "version", lambda: "other features")
    assert not has_learned_older_cutoffs(small, later)


def starting_from(name: Path | str, home: Path, *, source: str = "another shop", **settings: object) -> Night:
    model = QUICK.model_copy(update={"warm_start": str(name), **settings})
    return night_of(home, "tonight", model=model).model_copy(update={"source": source})


def test_another_shop_starts_from_the_folder_that_is_named(
    done: Done, small: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    """It tells one feature less, one more and one by another name, and its products are others."""
    small.execute("alter table features.users rename column keenness to eagerness")
    small.execute("alter table features.users add column points double default 3")
    small.execute("alter table features.sites drop column share")
    night = starting_from(done.night.model_folder, tmp_path)
    begin(small, night)
    said: list[str] = []
    with listening(lambda message, _: said.append(message)):
        report = train_model(small, night)
    assert report.warm_started_from == done.training.model_version
    assert report.taken is not None and set(report.taken.new_features) == {"user.eagerness", "user.points"}
    assert "banks.shared.slots.user.project.weight" in report.taken.part
    assert {"curve.own_shift", "curve.slope.weight"} <= set(report.taken.left)
    assert f"training starts from {done.training.model_version}: {report.taken}" in said
    assert str(report.taken) in str(report)
    assert not has_learned_older_cutoffs(small, night), "the older cut-offs of this shop are still to be learned"


def test_a_run_of_this_home_is_named_by_its_id(done: Done) -> None:
    model = QUICK.model_copy(update={"warm_start": done.night.run_id})
    later = night_of(done.night.home, "later", AS_OF + timedelta(days=1), model)
    earlier = load_earlier(done.con, later)
    assert earlier is not None and earlier.is_same_shop
    assert earlier.saved.model_version == done.training.model_version


@pytest.mark.parametrize("home_is_the_same", [True, False])
def test_a_model_of_the_same_shop_and_day_teaches_nothing(done: Done, tmp_path: Path, home_is_the_same: bool) -> None:
    """Neither in this home under another name, nor in another home under the same."""
    home, source = (done.night.home, "renamed") if home_is_the_same else (tmp_path, done.night.source)
    night = starting_from(done.night.model_folder, home, source=source)
    with pytest.raises(GateStopped, match="it may know what tonight must not"):
        load_earlier(done.con, night)


def test_a_model_that_cannot_be_the_start_is_refused_by_name(done: Done, tmp_path: Path) -> None:
    with pytest.raises(GateStopped, match=r'model.warm_start = "no-such-run" is neither a run .* nor a folder'):
        load_earlier(done.con, starting_from("no-such-run", tmp_path))
    with pytest.raises(GateStopped, match="slot_width = 16, tonight 32"):
        load_earlier(done.con, starting_from(done.night.model_folder, tmp_path, slot_width=32))
    (tmp_path / "model.json").write_text("{}")
    with pytest.raises(GateStopped, match="cannot be loaded"):
        load_earlier(done.con, starting_from(tmp_path, tmp_path))


def test_a_model_that_was_exchanged_is_no_start(done: Done, tmp_path: Path) -> None:
    """Sound in itself, but not what the diary says of that night."""
    run_id = done.night.run_id
    exchanged = shutil.copytree(done.night.model_folder, tmp_path / "models" / run_id) / "model.json"
    later = night_of(tmp_path, "later", AS_OF + timedelta(days=1), QUICK.model_copy(update={"warm_start": run_id}))
    assert load_earlier(done.con, later) is not None
    exchanged.write_text(json.dumps(json.loads(exchanged.read_text()) | {"label_end_date": "2000-01-01"}))
    with pytest.raises(GateStopped, match=r"model\.json is not what its night wrote"):
        load_earlier(done.con, later)


@pytest.mark.parametrize(
    ("told", "read"),
    [("true", True), ("False", False), ("0", False), (True, True), ("2024-01-01-abc", "2024-01-01-abc")],
)
def test_yes_and_no_may_come_as_words(told: object, read: object) -> None:
    assert ModelConfig.model_validate({"warm_start": told}).warm_start == read
