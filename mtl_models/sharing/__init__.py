"""How tasks share: one module per architecture, all behind `Sharing`."""

from __future__ import annotations

from collections.abc import Mapping

from mtl_models.config import ModelConfig
from mtl_models.sharing.base import Sharing
from mtl_models.sharing.hard import HardSharing

ARCHITECTURES: dict[str, type[Sharing]] = {"hard": HardSharing}


def build_sharing(input_width: int, tasks: Mapping[str, str], config: ModelConfig) -> Sharing:
    """The architecture that the settings name."""
    return ARCHITECTURES[config.sharing](input_width, tasks, config)


__all__ = ["ARCHITECTURES", "Sharing", "build_sharing"]
