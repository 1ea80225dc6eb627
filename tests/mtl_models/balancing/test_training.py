"""Balancing within the training: what is left out, and how fast each head moves."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from mtl_models.fit import Learner
from mtl_models.heads import Outputs
from mtl_models.model import JointModel
from mtl_models.relative_losses import start_losses
from mtl_models.samples import TaskSamples
from mtl_models.sharing import ARCHITECTURES
from tests.mtl_models.balancing.linear_tasks import FEW_TASKS, few_tasks, learn
from tests.mtl_models.toy_shop import Shop


def spoil(model: JointModel, task: str, times: int, factor: float, monkeypatch: pytest.MonkeyPatch) -> None:
    """From the second step on, multiply a task's losses for so many steps."""
    head, calls = model.head(task), iter(range(10**6))
    right = head.losses

    def losses(outputs: Outputs, rows: TaskSamples) -> dict[str, Tensor]:
        is_spoiled = torch.is_grad_enabled() and 1 <= next(calls) <= times
        return {name: loss * factor if is_spoiled else loss for name, loss in right(outputs, rows).items()}

    monkeypatch.setattr(head, "losses", losses)


def learner_of(few: Shop, model: JointModel) -> Learner:
    scales = start_losses(model, few.entities, few.train)
    return Learner(model, few.entities, scales, dict.fromkeys(FEW_TASKS, 1.0), None)


@pytest.mark.parametrize("balancing", ["fixed", "upgrad"])
def test_a_task_without_a_finite_loss_sits_out(balancing: str, few: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    model = few_tasks(few, balancing=balancing)
    learner = learner_of(few, model)
    spoil(model, "promotion", 1, math.nan, monkeypatch)
    passed = learner.learn(few.train)
    assert passed["left_out"] == {"promotion": 1} and passed["skipped_steps"] == 0
    assert math.isfinite(passed["training_loss"])
    assert all(parameter.isfinite().all() for parameter in model.parameters())


def test_a_step_without_any_finite_loss_is_skipped(few: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    model = few_tasks(few)
    learner = learner_of(few, model)
    for task in FEW_TASKS:
        spoil(model, task, 1, math.inf, monkeypatch)
    passed = learner.learn(few.train)
    assert passed["left_out"] == dict.fromkeys(FEW_TASKS, 1) and passed["skipped_steps"] == 1
    assert all(parameter.isfinite().all() for parameter in model.parameters())


def test_a_gradient_that_is_not_finite_is_no_step(few: Shop) -> None:
    model = few_tasks(few)
    learner = learner_of(few, model)
    tower = model.head("promotion").residual
    tower.hidden.weight.register_hook(lambda gradient: gradient * math.nan)
    before = [parameter.detach().clone() for parameter in model.parameters()]
    passed = learner.learn(few.train)
    assert passed["skipped_steps"] > 0 and passed["left_out"] == {}
    assert all(torch.equal(old, new) for old, new in zip(before, model.parameters(), strict=True))


def test_passes_report_what_was_left_out(few: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    model = few_tasks(few, finish_epochs=0)
    spoil(model, "service_days", 1, math.nan, monkeypatch)
    first, second = learn(few, model, epochs=2)
    assert first.left_out == {"service_days": 1} and second.left_out == {}


def test_a_head_moves_at_its_own_pace(few: Shop) -> None:
    """Coupons and uplift are one head; the demand curve and everything shared keep the common pace."""
    model = few_tasks(few, learning_rates={"promotion": 1e-6})
    before = {name: parameter.detach().clone() for name, parameter in model.named_parameters()}
    learner = learner_of(few, model)
    learner.learn(few.train)
    moved = {name: (p.detach() - before[name]).abs().max().item() for name, p in model.named_parameters()}
    slow = {name for name in moved if name.startswith(("heads.promotion.", "heads.uplift."))}
    assert slow and all(moved[name] < 1e-4 for name in slow)
    assert max(distance for name, distance in moved.items() if name.startswith("heads.profile.")) > 1e-2
    assert max(distance for name, distance in moved.items() if name.startswith("sharing.")) > 1e-3


def test_step_sizes_keep_their_proportions_in_the_finish(few: Shop) -> None:
    model = few_tasks(few, learning_rates={"profile": 3.0, "promotion": 0.5}, balancing="uncertainty")
    learner = learner_of(few, model)
    learner.restart_from(learner.averaged_weights(), 1e-3)
    rates = [group["lr"] for group in learner.optimiser.param_groups]
    assert sorted(rates) == pytest.approx([5e-4, 1e-3, 1e-3, 3e-3])
    assert learner.optimiser.param_groups[-1]["weight_decay"] == 0, "log variances do not decay"
    trained = [parameter for group in learner.optimiser.param_groups for parameter in group["params"]]
    assert len(trained) == len(list(model.parameters())) + 1


def test_equal_step_sizes_are_one_group(few: Shop) -> None:
    model = few_tasks(few, learning_rates={"profile": 1.0})
    assert len(learner_of(few, model).optimiser.param_groups) == 1


@pytest.mark.parametrize("sharing", sorted(ARCHITECTURES.keys() - {"single"}))
@pytest.mark.parametrize("balancing", ["uncertainty", "gradnorm", "upgrad"])  # of losses, of norms, of gradients
def test_any_balancing_works_with_any_sharing(sharing: str, balancing: str, few: Shop) -> None:
    """Two steps move what is shared and break nothing."""
    model = few_tasks(few, sharing=sharing, balancing=balancing)
    learner, shared = learner_of(few, model), model.sharing.shared_parameters()
    before = [parameter.detach().clone() for parameter in shared]
    rows = {table: part.take(slice(0, 64)) for table, part in few.train.items()}
    passes = [learner.learn(rows) for _ in range(2)]  # heads start with zeros: the first step is theirs alone
    assert all(passed["skipped_steps"] == 0 and passed["left_out"] == {} for passed in passes)
    assert all(parameter.isfinite().all() for parameter in model.parameters())
    assert not any(torch.equal(old, new) for old, new in zip(before, shared, strict=True))
