"""How tasks share: one module per architecture, all behind `Sharing`."""

from __future__ import annotations

from collections.abc import Mapping

from mtl_models.config import NetworkConfig
from mtl_models.sharing.adversarial import AdversarialSharing
from mtl_models.sharing.base import Sharing
from mtl_models.sharing.cross_stitch import CrossStitch
from mtl_models.sharing.hard import HardSharing
from mtl_models.sharing.mmoe import MultiGateExperts
from mtl_models.sharing.ple import ProgressiveExperts
from mtl_models.sharing.relationship import TaskRelationship
from mtl_models.sharing.single import SingleTasks
from mtl_models.sharing.soft import SoftSharing

ARCHITECTURES: dict[str, type[Sharing]] = {
    "single": SingleTasks,
    "hard": HardSharing,
    "soft": SoftSharing,
    "cross_stitch": CrossStitch,
    "mmoe": MultiGateExperts,
    "ple": ProgressiveExperts,
    "relationship": TaskRelationship,
    "adversarial": AdversarialSharing,
}


def build_sharing(input_width: int, tasks: Mapping[str, str], config: NetworkConfig) -> Sharing:
    """The architecture that the settings name."""
    return ARCHITECTURES[config.sharing](input_width, tasks, config)


__all__ = ["ARCHITECTURES", "Sharing", "build_sharing"]
