"""Steps that cannot be taken are left out and counted."""

from __future__ import annotations

import math

import pytest
import torch

from mtl_models import MultiTaskModel
from mtl_models.tabular.fit import Learner
from mtl_models.tabular.frame import Rows
from mtl_models.tabular.network import TabularNetwork
from tests.mtl_models.tabular.conftest import SETTINGS, TASKS, people

STEPS = 8


@pytest.fixture(scope="module")
def network() -> TabularNetwork:
    return MultiTaskModel(TASKS, **SETTINGS, max_epochs=1, precision="float32").fit(people(400).drop("taste")).network


def rows_of(network: TabularNetwork) -> Rows:
    frame = people(32 * STEPS, seed=1)
    labels = torch.stack([target.read(frame[target.spec.label]) for target in network.targets], dim=1)
    return network.encoder.transform(frame.drop("taste"), labels)


def spoil(network: TabularNetwork, tasks: set[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """The first step's loss of those tasks is NaN, and so is its gradient."""
    losses_of, factors = network.losses, iter([math.nan])

    def losses(raw: list[torch.Tensor], labels: torch.Tensor) -> dict[str, torch.Tensor]:
        factor = next(factors, 1.0)
        return {task: loss * factor if task in tasks else loss for task, loss in losses_of(raw, labels).items()}

    monkeypatch.setattr(network, "losses", losses)


def weights_of(network: TabularNetwork) -> list[torch.Tensor]:
    return [parameter.detach().clone() for parameter in network.parameters()]


def test_a_task_without_a_finite_loss_is_left_out(network: TabularNetwork, monkeypatch: pytest.MonkeyPatch) -> None:
    learner = Learner(network)
    spoil(network, {"spend"}, monkeypatch)
    passed = learner.learn(rows_of(network))
    assert passed["left_out"] == {"spend": 1} and passed["skipped_steps"] == 0
    assert all(math.isfinite(loss) for loss in passed["training_losses"].values())
    assert all(weight.isfinite().all() for weight in weights_of(network))


def test_a_step_without_any_finite_loss_is_skipped(network: TabularNetwork, monkeypatch: pytest.MonkeyPatch) -> None:
    learner, tasks = Learner(network), {task.name for task in TASKS}
    spoil(network, tasks, monkeypatch)
    passed = learner.learn(rows_of(network))
    assert passed["left_out"] == dict.fromkeys(tasks, 1) and passed["skipped_steps"] == 1
    assert learner.steps == STEPS - 1
    assert all(math.isfinite(loss) for loss in passed["training_losses"].values())
    assert all(weight.isfinite().all() for weight in weights_of(network))


def test_a_gradient_that_is_not_finite_is_no_step(network: TabularNetwork) -> None:
    learner, before = Learner(network), weights_of(network)
    hook = network.scales.register_hook(lambda gradient: gradient * math.nan)
    passed = learner.learn(rows_of(network))
    hook.remove()
    assert passed["skipped_steps"] == STEPS and passed["left_out"] == {}
    assert all(torch.equal(old, new) for old, new in zip(before, weights_of(network), strict=True))


def test_a_training_that_diverges_ends_and_says_so() -> None:
    model = MultiTaskModel(TASKS, **SETTINGS, learning_rate=1e30, max_epochs=2).fit(people(32 * STEPS).drop("taste"))
    assert model.history[-1].skipped_steps == STEPS
    assert all(weight.isfinite().all() for weight in weights_of(model.network))
