"""What tuning may change, as data: settings by name, each with the values that it may take."""

from __future__ import annotations

import json
from collections.abc import Mapping
from itertools import combinations
from typing import Any

from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution

from mtl_models.config import ModelConfig, TaskWeights

Space = dict[str, BaseDistribution]
Parameters = Mapping[str, Any]

# cagrad and nashmtl are left out: they need solvers that not everybody installs, and cost more than they gain.
METHODS = ("fixed", "uncertainty", "dwa", "rlw", "gradnorm", "pcgrad", "mgda", "alignedmtl", "upgrad")
FAMILIES = ("hard", "single", "soft", "cross_stitch", "mmoe", "ple", "relationship", "adversarial")
# A choice is a word or a number, so lists are written as JSON.
LINKS = ("profile->recommendation", "profile->service", "demand->price")
LINK_SETS = tuple(json.dumps(links) for count in range(len(LINKS) + 1) for links in combinations(LINKS, count))
TRUNKS = ("[64]", "[96, 64]", "[128, 96]", "[192, 128]", "[256, 128]")

SPACE: Space = {
    "sharing": CategoricalDistribution(FAMILIES),
    "balancing": CategoricalDistribution(METHODS),
    "scheme": CategoricalDistribution(("joint", "pretrain_then_joint", "alternating")),
    # Beyond a factor of four a head is as good as switched off.
    **{f"task_weights.{head}": FloatDistribution(0.25, 4.0, log=True) for head in TaskWeights.model_fields},
    # Which of the tasks are read at all; beta, delta and the gradient mean nothing where none is.
    "consistency.links": CategoricalDistribution(LINK_SETS),
    "consistency.beta": FloatDistribution(1e-3, 10.0, log=True),
    "consistency.delta": FloatDistribution(1e-3, 10.0, log=True),
    "consistency.stops_gradient": CategoricalDistribution((True, False)),
    "slot_width": CategoricalDistribution((16, 32, 48, 64)),
    "trunk_widths": CategoricalDistribution(TRUNKS),
    "dropout": FloatDistribution(0.0, 0.5),
    "learning_rate": FloatDistribution(3e-4, 6e-3, log=True),
    "weight_decay": FloatDistribution(1e-3, 0.3, log=True),
    "id_dropout": FloatDistribution(0.0, 0.9),
}
# More digits than tell anything would make a settings file hard to read.
DIGITS = 3


def parameters_of(config: ModelConfig) -> dict[str, Any]:
    """The values that the settings have now, by the names of the space."""
    tree = config.model_dump(mode="json")
    return {name: _as_choice(_value(tree, name)) for name in SPACE}


def space_around(config: ModelConfig) -> Space:
    """The space, widened where the settings in use lie outside: they have to be one of its points."""
    return {name: _widened(SPACE[name], value) for name, value in parameters_of(config).items()}


def tuned_settings(parameters: Parameters) -> dict[str, Any]:
    """Parameters as the settings under `model` that they stand for, with a section for what has a dot."""
    tree: dict[str, Any] = {}
    for name, value in parameters.items():
        section, _, key = name.rpartition(".")
        (tree.setdefault(section, {}) if section else tree)[key] = _as_setting(value)
    return tree


def kind_of(parameters: Parameters) -> str:
    """How tasks share, are weighed and are scheduled: what tells one trial from another in few words."""
    return ", ".join(str(parameters[name]) for name in ("sharing", "balancing", "scheme"))


def in_short(parameters: Parameters) -> str:
    """What tells one trial from another on a line; the rest is in `ops.tuning_trials`."""
    sizes = ("trunk_widths", "slot_width", "dropout", "learning_rate", "weight_decay", "id_dropout")
    return f"{kind_of(parameters)}; " + ", ".join(f"{name} {_as_setting(parameters[name])}" for name in sizes)


def config_of(parameters: Parameters, config: ModelConfig) -> ModelConfig:
    """The settings with these parameters; pydantic's ValidationError when they do not go together."""
    return ModelConfig.model_validate(_merged(config.model_dump(), tuned_settings(parameters)))


def _merged(tree: dict[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    nested = {name: _merged(tree[name], value) for name, value in changes.items() if isinstance(value, Mapping)}
    return {**tree, **changes, **nested}


def _value(tree: Mapping[str, Any], name: str) -> Any:
    section, _, key = name.rpartition(".")
    return tree[section][key] if section else tree[key]


def _as_choice(value: Any) -> Any:
    return json.dumps(value) if isinstance(value, list) else value


def _as_setting(value: Any) -> Any:
    if isinstance(value, float):
        return float(f"{value:.{DIGITS}g}")
    return json.loads(value) if isinstance(value, str) and value.startswith("[") else value


def _widened(distribution: BaseDistribution, value: Any) -> BaseDistribution:
    if isinstance(distribution, FloatDistribution):
        low, high = min(distribution.low, value), max(distribution.high, value)
        # A head that is switched off, or no decay, is no point of a logarithmic scale.
        return FloatDistribution(low, high, log=distribution.log and low > 0)
    choices = distribution.choices if isinstance(distribution, CategoricalDistribution) else ()
    return CategoricalDistribution(tuple(dict.fromkeys((*choices, value))))
