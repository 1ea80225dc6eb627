"""What the optimiser trains, and how fast."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from torch import nn

from mtl_models.balancing import Balancing
from mtl_models.heads import weight_name
from mtl_models.model import JointModel


def parameter_groups(
    model: JointModel, balancing: Balancing, own: Mapping[str, Sequence[nn.Parameter]]
) -> list[dict[str, Any]]:
    """One group for each step size: `lr`, and the `factor` of `learning_rate` that it is.

    `own` are the parameters of each task's head, which move at the pace of the head; all others, and those of a head
    without a pace of its own, move at `learning_rate`. What the balancing learns does not decay: that would pull it
    back to no balancing.
    """
    config, factors = model.config, model.config.learning_rates.model_dump()
    factor_of = {
        parameter: factors.get(weight_name(task), 1.0) for task, parameters in own.items() for parameter in parameters
    }
    by_factor: dict[float, list[nn.Parameter]] = defaultdict(list)
    for parameter in model.parameters():
        by_factor[factor_of.get(parameter, 1.0)].append(parameter)
    groups: list[dict[str, Any]] = [
        {"params": parameters, "lr": config.learning_rate * factor, "factor": factor}
        for factor, parameters in by_factor.items()
    ]
    if learned := list(balancing.parameters()):
        groups.append({"params": learned, "lr": config.learning_rate, "factor": 1.0, "weight_decay": 0.0})
    return groups
