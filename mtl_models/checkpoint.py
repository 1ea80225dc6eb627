"""A model on disk: weights as safetensors, all else as JSON; no code is ever loaded with a model."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Self

import torch
from pydantic import ValidationError
from safetensors.torch import load_file, save_file

from mtl_models.config import Frozen, ModelConfig
from mtl_models.model import JointModel
from mtl_models.preprocess import Preprocessing, Vocabulary

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
    def read(cls, folder: Path, expected_hash: str | None = None) -> Self:
        """The description alone; CheckpointError when there is none, it is of another format, or its SHA-256 is not
        the one that is expected."""
        path = folder / DESCRIPTION
        try:
            content = path.read_bytes()
            if expected_hash not in (None, hashlib.sha256(content).hexdigest()):
                raise CheckpointError(f"{path} is not what its night wrote. Remedy: fivefold run --force trains anew")
            return cls.model_validate_json(content.decode("utf-8"))
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
    _replace(folder / DESCRIPTION, lambda path: path.write_text(checkpoint.model_dump_json(), encoding="utf-8"))
    return checkpoint


def load(folder: Path, expected_hash: str | None = None) -> tuple[JointModel, Checkpoint]:
    """The model as it was saved; CheckpointError when the description is not the one that is expected (a SHA-256 as of
    `hash_of`), when the weights are not those that it names, or when they are of a version of the application with
    other layers."""
    checkpoint = Checkpoint.read(folder, expected_hash)
    path = folder / WEIGHTS
    if not path.exists() or _content_hash(path) != checkpoint.content_hash:
        raise CheckpointError(f"{path} is missing or not what {DESCRIPTION} describes; train that night again")
    model = JointModel(checkpoint.preprocessing, checkpoint.config, checkpoint.tasks)
    try:
        model.load_state_dict(load_file(path))
    except RuntimeError as error:
        raise CheckpointError(f"{path} was written by a version with other layers; train that night again") from error
    return model.eval(), checkpoint


def hash_of(folder: Path) -> str:
    """SHA-256 of the description, and so of the whole model: it has the hash of the weights."""
    return _content_hash(folder / DESCRIPTION)


def forget(folder: Path, slot: str, is_forgotten: Callable[[str], bool]) -> Checkpoint | None:
    """Forget the ids of some entities of a slot, and what was learned about them; the new description, None when the
    model knows none of them.

    The weights come first: a process that ends in between leaves files that do not fit, which `load` refuses.
    """
    checkpoint = Checkpoint.read(folder)
    spec = checkpoint.preprocessing.entities[slot]
    known = [index for index, word in enumerate(spec.ids.words) if is_forgotten(word)]
    if not known:
        return None
    weights = load_file(folder / WEIGHTS)
    rows = torch.tensor(known) + 1  # row 0 is the unknown one
    for name in weights:
        if name.endswith(f"slots.{slot}.ids.weight"):
            weights[name][rows] = 0.0
    # Indexes of the others stay, so a word of its own stands in each place.
    gone = {index: f"forgotten {index}" for index in known}
    words = tuple(gone.get(index, word) for index, word in enumerate(spec.ids.words))
    entities = checkpoint.preprocessing.entities | {slot: spec.model_copy(update={"ids": Vocabulary(words=words)})}
    _replace(folder / WEIGHTS, lambda path: save_file(weights, path))
    changed = checkpoint.model_copy(
        update={
            "content_hash": _content_hash(folder / WEIGHTS),
            "preprocessing": checkpoint.preprocessing.model_copy(update={"entities": entities}),
        }
    )
    _replace(folder / DESCRIPTION, lambda path: path.write_text(changed.model_dump_json(), encoding="utf-8"))
    return changed


def _replace(file: Path, write: Callable[[Path], object]) -> None:
    aside = file.with_name(f"{file.name}.part")
    write(aside)
    aside.replace(file)


def _first_of(error: ValidationError) -> str:
    first = error.errors()[0]
    return " ".join([".".join(map(str, first["loc"])), first["msg"].removeprefix("Value error, ")]).strip()


def _content_hash(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
