"""The earlier model that tonight's may start from: this shop's own, or another shop's."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import duckdb

from mtl_models import checkpoint, warm_start
from mtl_models.checkpoint import Checkpoint, CheckpointError
from mtl_models.model import JointModel
from tasks.gates import GateStopped
from tasks.model_files import load_model
from tasks.night import Night
from tasks.progress import report
from warehouse import build


@dataclass(frozen=True)
class Earlier:
    """A model to start from; `is_same_shop`: it knows this shop's users, products and prices."""

    model: JointModel
    saved: Checkpoint
    is_same_shop: bool


def load_earlier(con: duckdb.DuckDBPyConnection, night: Night) -> Earlier | None:
    """The model that `warm_start` names; with true that of the latest earlier night that was released, or None when
    there is none or it has other layers.

    Earlier nights saw only labels before their own measured window, so nothing of tonight's can come with them.
    Raises GateStopped when the model that is named cannot be the start.
    """
    if isinstance(night.model.warm_start, str):
        return _named(con, night, night.model.warm_start)
    return _latest(con, night) if night.model.warm_start else None


def has_learned_older_cutoffs(con: duckdb.DuckDBPyConnection, night: Night) -> bool:
    """Whether tonight's model will start from one of this shop that read the same features, so that the older training
    cut-offs need not be built and learned again."""
    earlier = load_earlier(con, night)
    return earlier is not None and earlier.is_same_shop and earlier.saved.features_version == build.version()


def _latest(con: duckdb.DuckDBPyConnection, night: Night) -> Earlier | None:
    runs = con.execute(
        """select run_id from ops.runs where as_of_date < $1 and status = 'released'
        order by as_of_date desc, started_at desc, run_id desc""",
        [night.as_of_date],
    ).fetchall()
    folders = (night.home / "models" / run_id for (run_id,) in runs)
    folder = next((folder for folder in folders if (folder / checkpoint.DESCRIPTION).exists()), None)
    if folder is None:
        return None
    try:
        model, saved = load_model(con, night, folder.name)
    except CheckpointError as error:
        report(f"training starts afresh: {error}")
        return None
    if others := warm_start.other_layers(saved.config, night.model):
        report(f"training starts afresh: {saved.model_version} has other layers ({'; '.join(others)})")
        return None
    return Earlier(model, saved, is_same_shop=True)


def _named(con: duckdb.DuckDBPyConnection, night: Night, name: str) -> Earlier:
    """The model of a run of this home, or of a folder."""
    own = night.home / "models"
    folder = next((path for path in (own / name, Path(name)) if (path / checkpoint.DESCRIPTION).is_file()), None)
    if folder is None:
        raise _refused(name, f"is neither a run with a model in {own} nor a folder with {checkpoint.DESCRIPTION}")
    is_own = folder.resolve().parent == own.resolve()
    try:
        model, saved = load_model(con, night, folder.name) if is_own else checkpoint.load(folder)
    except CheckpointError as error:
        raise _refused(name, f"cannot be loaded ({error})") from error
    is_same_shop = is_own or saved.source == night.source
    if is_same_shop and saved.as_of_date >= night.as_of_date:
        raise _refused(
            name, f"is of {saved.as_of_date} and tonight of {night.as_of_date}: it may know what tonight must not"
        )
    if others := warm_start.other_layers(saved.config, night.model):
        raise _refused(name, f"has other layers ({'; '.join(others)})")
    return Earlier(model, saved, is_same_shop)


def _refused(name: str, why: str) -> GateStopped:
    return GateStopped(
        "model",
        f'model.warm_start = "{name}" {why}.',
        "name an earlier run or the folder of a model with tonight's layers, or set warm_start = true.",
    )
