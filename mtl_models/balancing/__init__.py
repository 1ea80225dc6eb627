"""How the losses of the tasks become one: one module per method, all behind `Balancing`."""

from __future__ import annotations

from collections.abc import Mapping

from mtl_models.balancing import gradients
from mtl_models.balancing.base import Balancing
from mtl_models.balancing.dwa import DynamicWeightAverage
from mtl_models.balancing.fixed import FixedWeights
from mtl_models.balancing.gradients import GradientBalancing
from mtl_models.balancing.gradnorm import GradNorm
from mtl_models.balancing.rlw import RandomWeights
from mtl_models.balancing.uncertainty import UncertaintyWeights
from mtl_models.config import NetworkConfig

METHODS: dict[str, type[Balancing]] = {
    "fixed": FixedWeights,
    "uncertainty": UncertaintyWeights,
    "dwa": DynamicWeightAverage,
    "gradnorm": GradNorm,
    "rlw": RandomWeights,
    **dict.fromkeys(gradients.METHODS, GradientBalancing),
}


def build_balancing(tasks: tuple[str, ...], weights: Mapping[str, float], config: NetworkConfig) -> Balancing:
    """The method that the settings name. Raises ImportError where it needs an extra that is not installed."""
    return METHODS[config.balancing](tasks, weights, config)


__all__ = ["METHODS", "Balancing", "build_balancing"]
