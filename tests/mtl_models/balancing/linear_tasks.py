"""Tasks whose gradients are given: loss_k = value_k + g_k . theta + h . omega_k, with theta shared, omega_k own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from mtl_models.balancing import Balancing, build_balancing
from mtl_models.config import ModelConfig
from mtl_models.fit import Epoch, fit
from mtl_models.model import JointModel
from mtl_models.relative_losses import start_losses
from tests.mtl_models.toy_shop import CONFIG, Shop, new_model

NAMES = ("a", "b", "c", "d", "e", "f", "g")
OWN_GRADIENT = torch.tensor([0.5, -2.0])
FEW_TASKS = ("profile", "promotion", "uplift", "service_days")


def method(name: str, weights: Mapping[str, float] | int = 5, seed: int = 0) -> Balancing:
    """A balancing of tasks with these weights, or of that many with weight 1."""
    by_task = dict.fromkeys(NAMES[:weights], 1.0) if isinstance(weights, int) else weights
    return build_balancing(tuple(by_task), by_task, ModelConfig(balancing=name, seed=seed))


@dataclass(frozen=True)
class Step:
    """What one backward pass leaves behind."""

    total: float
    shared: Tensor
    own: dict[str, Tensor | None]


def step(balancing: Balancing, gradients: Tensor, values: Tensor | None = None, tasks: tuple[str, ...] = ()) -> Step:
    """The gradients that follow from [tasks, width] gradients of the losses and [tasks] values, which are else 1."""
    names = tasks or NAMES[: len(gradients)]
    values = torch.ones(len(names)) if values is None else values
    theta = nn.Parameter(torch.zeros(gradients.shape[1]))
    own = {task: [nn.Parameter(torch.zeros(2))] for task in names}
    losses = {
        task: value + gradient @ theta + OWN_GRADIENT @ own[task][0]
        for task, value, gradient in zip(names, values, gradients, strict=True)
    }
    total = balancing.total(balancing.usable(losses), [theta], own)
    total.backward()
    return Step(float(total.detach()), theta.grad, {task: parameters[0].grad for task, parameters in own.items()})


def random_gradients(seed: int, tasks: int = 5, width: int = 7, spread: float = 0.0) -> Tensor:
    """[tasks, width] gradients of which some conflict, with lengths that differ by powers of ten up to `spread`."""
    generator = torch.Generator().manual_seed(seed)
    gradients = torch.randn(tasks, width, generator=generator)
    gradients[1] = 0.6 * gradients[1] - gradients[0]
    return gradients * 10 ** (spread * (2 * torch.rand(tasks, 1, generator=generator) - 1))


def few_tasks(few: Shop, **settings: object) -> JointModel:
    """A new model of a few tasks."""
    return new_model(few, ModelConfig(**(CONFIG.model_dump() | settings)), FEW_TASKS)


def learn(few: Shop, model: JointModel, epochs: int = 2, weights: Mapping[str, float] | None = None) -> list[Epoch]:
    """The passes of its training."""
    scales = start_losses(model, few.entities, few.train)
    weights = weights or dict.fromkeys(FEW_TASKS, 1.0)
    return list(fit(model, few.entities, few.train, few.validation, scales=scales, weights=weights, epochs=epochs))
