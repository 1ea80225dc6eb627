"""The models of this home's nights: loaded only as their night wrote them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import duckdb

from mtl_models import checkpoint
from mtl_models.checkpoint import Checkpoint
from mtl_models.model import JointModel
from tasks.night import Night
from warehouse import diary


@dataclass(frozen=True)
class ModelFiles:
    """Where a night's model lies, and the hash of its files as `ops.runs` remembers it."""

    folder: Path
    model_hash: str | None

    def load(self) -> tuple[JointModel, Checkpoint]:
        """The model; `mtl_models.checkpoint.CheckpointError` when its files are not those that are remembered."""
        return checkpoint.load(self.folder, self.model_hash)


def model_files(con: duckdb.DuckDBPyConnection, night: Night, run_id: str) -> ModelFiles:
    """The files of the model that the night of that run trained."""
    return ModelFiles(night.home / "models" / run_id, diary.model_hash(con, run_id))


def load_model(con: duckdb.DuckDBPyConnection, night: Night, run_id: str) -> tuple[JointModel, Checkpoint]:
    """The model that the night of that run trained; `mtl_models.checkpoint.CheckpointError` when its files are not
    those that `ops.runs` remembers."""
    return model_files(con, night, run_id).load()
