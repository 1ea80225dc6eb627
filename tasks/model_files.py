"""The models of this home's nights: loaded only as their night wrote them."""

from __future__ import annotations

import duckdb

from mtl_models import checkpoint
from mtl_models.checkpoint import Checkpoint
from mtl_models.model import JointModel
from tasks.night import Night
from warehouse import diary


def load_model(con: duckdb.DuckDBPyConnection, night: Night, run_id: str) -> tuple[JointModel, Checkpoint]:
    """The model that the night of that run trained; `mtl_models.checkpoint.CheckpointError` when its files are not
    those that `ops.runs` remembers."""
    return checkpoint.load(night.home / "models" / run_id, diary.model_hash(con, run_id))
