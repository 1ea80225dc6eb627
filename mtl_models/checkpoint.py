"""A model on disk: weights as safetensors, all else as JSON; no code is ever loaded with a model."""

from __future__ import annotations

import hashlib
from datetime import date
from pathlib import Path
from typing import Self

from pydantic import ValidationError
from safetensors.torch import load_file, save_file

from mtl_models.config import Frozen, ModelConfig
from mtl_models.model import JointModel
from mtl_models.preprocess import Preprocessing

WEIGHTS, DESCRIPTION = "model.safetensors", "model.json"


class CheckpointError(Exception):
    """A checkpoint that cannot be used; the message says which file, why, and what to do."""


class Checkpoint(Frozen):
    """What `model.json` says. `label_end_date`: the model has seen no label of that day or later.
    `features_version`: what built the features that it reads. `source`: the shop that it learned in, as the settings
    name it; empty in models from before that was kept."""

    run_id: str
    as_of_date: date
    label_end_date: date
    features_version: str
    source: str = ""
    content_hash: str
    tasks: tuple[str, ...]
    config: ModelConfig
    preprocessing: Preprocessing

    @property
    def model_version(self) -> str:
        """Run and content, such as 2018-01-01-a1b2c3-5f3a9c1e."""
        return f"{self.run_id}-{self.content_hash[:8]}"

    @classmethod
    def read(cls, folder: Path) -> Self:
        """The description alone; CheckpointError when there is none or it is of another format."""
        path = folder / DESCRIPTION
        try:
            return cls.model_validate_json(path.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError) as error:
            raise CheckpointError(f"{path} cannot be read ({error}); train again with warm_start off") from error
        except ValidationError as error:
            raise CheckpointError(
                f"{path} was not written by this version: {_first_of(error)}; train that night again"
            ) from error


def save(
    folder: Path,
    model: JointModel,
    *,
    run_id: str,
    as_of_date: date,
    label_end_date: date,
    features_version: str,
    source: str = "",
) -> Checkpoint:
    """Write both files; returns the description with its content hash."""
    folder.mkdir(parents=True, exist_ok=True)
    weights = {name: tensor.detach().cpu().contiguous() for name, tensor in model.state_dict().items()}
    save_file(weights, folder / WEIGHTS)
    checkpoint = Checkpoint(
        run_id=run_id,
        as_of_date=as_of_date,
        label_end_date=label_end_date,
        features_version=features_version,
        source=source,
        content_hash=_content_hash(folder / WEIGHTS),
        tasks=model.tasks,
        config=model.config,
        preprocessing=model.preprocessing,
    )
    # The description makes it a model: it appears last, and whole.
    aside = folder / f"{DESCRIPTION}.part"
    aside.write_text(checkpoint.model_dump_json(), encoding="utf-8")
    aside.replace(folder / DESCRIPTION)
    return checkpoint


def load(folder: Path) -> tuple[JointModel, Checkpoint]:
    """The model as it was saved; CheckpointError when the weights are not those that the description names, or
    when they are of a version of the application with other layers."""
    checkpoint = Checkpoint.read(folder)
    path = folder / WEIGHTS
    if not path.exists() or _content_hash(path) != checkpoint.content_hash:
        raise CheckpointError(f"{path} is missing or not what {DESCRIPTION} describes; train that night again")
    model = JointModel(checkpoint.preprocessing, checkpoint.config, checkpoint.tasks)
    try:
        model.load_state_dict(load_file(path))
    except RuntimeError as error:
        raise CheckpointError(f"{path} was written by a version with other layers; train that night again") from error
    return model.eval(), checkpoint


def _first_of(error: ValidationError) -> str:
    first = error.errors()[0]
    return " ".join([".".join(map(str, first["loc"])), first["msg"].removeprefix("Value error, ")]).strip()


def _content_hash(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
