from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import duckdb
import pytest

from tasks.earlier_model import has_learned_older_cutoffs
from tasks.train_model import train_model
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
    assert has_learned_older_cutoffs(small, later)
    assert not has_learned_older_cutoffs(small, night_of(tmp_path, "again", AS_OF - timedelta(days=7), QUICK))
    cold = QUICK.model_copy(update={"warm_start": False})
    assert not has_learned_older_cutoffs(small, night_of(tmp_path, "night-2", AS_OF, cold))
    wider = QUICK.model_copy(update={"slot_width": 32})
    assert not has_learned_older_cutoffs(small, night_of(tmp_path, "night-2", AS_OF, wider))
    monkeypatch.setattr(build, "version", lambda: "other features")
    assert not has_learned_older_cutoffs(small, later)
