from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pytest

from tasks.evaluate_heads import EvaluationReport, evaluate_heads
from tasks.night import Night
from tasks.predict_heads import PredictionReport, predict_heads
from tasks.train_model import TrainingReport, train_model
from tests.model_tasks.small_warehouse import begin, fill, night_of
from warehouse.connect import open_warehouse


@dataclass
class Done:
    con: duckdb.DuckDBPyConnection
    night: Night
    training: TrainingReport
    evaluation: EvaluationReport
    prediction: PredictionReport


@pytest.fixture(scope="session")
def small_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small warehouse as a file, made once."""
    path = tmp_path_factory.mktemp("small") / "warehouse.duckdb"
    with open_warehouse(path) as con:
        fill(con)
    return path


@pytest.fixture
def small(small_file: Path, tmp_path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """A copy of the small warehouse, to be changed at will."""
    with open_warehouse(Path(shutil.copy(small_file, tmp_path / "small.duckdb"))) as con:
        yield con


@pytest.fixture(scope="session")
def done(small_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Done]:
    """One night of the model tasks; do not change its tables."""
    home = tmp_path_factory.mktemp("home")
    with open_warehouse(Path(shutil.copy(small_file, home / "warehouse.duckdb"))) as con:
        night = night_of(home)
        begin(con, night)
        yield Done(con, night, train_model(con, night), evaluate_heads(con, night), predict_heads(con, night))
