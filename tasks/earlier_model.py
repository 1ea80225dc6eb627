"""The earlier night's model that tonight's may start from."""

from __future__ import annotations

import duckdb

from mtl_models import checkpoint, warm_start
from mtl_models.checkpoint import Checkpoint, CheckpointError
from mtl_models.model import JointModel
from tasks.night import Night
from tasks.progress import report
from warehouse import build


def load_earlier(con: duckdb.DuckDBPyConnection, night: Night) -> tuple[JointModel, Checkpoint] | None:
    """The latest earlier night's model; None when warm starts are off, there is none, or it has other layers.

    Earlier nights saw only labels before their own measured window, so nothing of tonight's can come with them.
    """
    if not night.model.warm_start:
        return None
    runs = con.execute(
        "select run_id from ops.runs where as_of_date < $1 order by as_of_date desc, started_at desc, run_id desc",
        [night.as_of_date],
    ).fetchall()
    folders = (night.home / "models" / run_id for (run_id,) in runs)
    folder = next((folder for folder in folders if (folder / checkpoint.DESCRIPTION).exists()), None)
    if folder is None:
        return None
    try:
        model, saved = checkpoint.load(folder)
    except CheckpointError as error:
        report(f"training starts afresh: {error}")
        return None
    return (model, saved) if warm_start.fits(saved.config, night.model) else None


def has_learned_older_cutoffs(con: duckdb.DuckDBPyConnection, night: Night) -> bool:
    """Whether tonight's model will start from one that read the same features, so that the older training cut-offs
    need not be built and learned again."""
    earlier = load_earlier(con, night)
    return earlier is not None and earlier[1].features_version == build.version()
