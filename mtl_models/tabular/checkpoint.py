"""A model on disk: weights as safetensors, all else as JSON; no code is ever loaded with a model."""

from __future__ import annotations

from os import PathLike
from pathlib import Path

from pydantic import SerializeAsAny
from safetensors.torch import load_file, save_file

from mtl_models.checkpoint import DESCRIPTION, WEIGHTS, CheckpointError
from mtl_models.config import Frozen
from mtl_models.tabular.config import TabularConfig
from mtl_models.tabular.frame import FrameEncoder
from mtl_models.tabular.network import TabularNetwork
from mtl_models.tabular.targets import KINDS, Target


class Description(Frozen):
    """What `model.json` says."""

    config: TabularConfig
    encoder: FrameEncoder
    targets: tuple[SerializeAsAny[Target], ...]


def save(folder: str | PathLike[str], network: TabularNetwork) -> None:
    """Write both files."""
    path = Path(folder)
    path.mkdir(parents=True, exist_ok=True)
    save_file({name: tensor.cpu().contiguous() for name, tensor in network.state_dict().items()}, path / WEIGHTS)
    description = Description(config=network.config, encoder=network.encoder, targets=network.targets)
    (path / DESCRIPTION).write_text(description.model_dump_json(), encoding="utf-8")


def load(folder: str | PathLike[str]) -> TabularNetwork:
    """The network as it was saved; CheckpointError when a file is missing or of another format."""
    path = Path(folder)
    try:
        description = Description.model_validate_json((path / DESCRIPTION).read_text(encoding="utf-8"))
        targets = [KINDS[target.spec.kind](**dict(target)) for target in description.targets]
        network = TabularNetwork(description.encoder, targets, description.config)
        network.load_state_dict(load_file(path / WEIGHTS))
    except (OSError, ValueError, RuntimeError) as error:
        raise CheckpointError(f"{path} holds no model that can be read ({error}); save it again") from error
    return network.eval()
