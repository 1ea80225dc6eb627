"""What holds whatever the method."""

from __future__ import annotations

from typing import get_args

import pytest
import torch
from pydantic import ValidationError

from mtl_models.balancing import METHODS
from mtl_models.balancing import gradients as gradient_methods
from mtl_models.config import GRADIENT_METHODS, Method, ModelConfig
from tests.mtl_models.balancing.linear_tasks import (
    FEW_TASKS,
    OWN_GRADIENT,
    few_tasks,
    learn,
    method,
    random_gradients,
    step,
)
from tests.mtl_models.toy_shop import Shop

every_method = pytest.mark.parametrize("name", METHODS)
# PCGrad projects in random order, random weights are random: the same luck for both sides of a comparison.
seeded = pytest.fixture(autouse=True)(lambda: torch.manual_seed(0))


def test_settings_and_methods_name_the_same() -> None:
    assert set(get_args(Method)) == set(METHODS)
    assert set(GRADIENT_METHODS) == {"gradnorm", *gradient_methods.METHODS}


def test_fixed_weights_of_one_are_the_sum() -> None:
    gradients, values = random_gradients(0), torch.tensor([1.0, 2.0, 3.0, 4.0, 5.0])
    after = step(method("fixed"), gradients, values)
    assert after.total == pytest.approx(15.0)
    torch.testing.assert_close(after.shared, gradients.sum(dim=0))


@every_method
def test_no_task_is_unlearned(name: str) -> None:
    """Whatever the conflict, each head follows its own loss."""
    for seed in range(4):
        after = step(method(name), random_gradients(seed, spread=2.0))
        assert all(OWN_GRADIENT @ gradient > 0 for gradient in after.own.values())


@every_method
def test_twice_the_business_weight_of_all_is_twice_the_gradient(name: str) -> None:
    once = step(method(name), random_gradients(1))
    torch.manual_seed(0)
    twice = step(method(name, dict.fromkeys("abcde", 2.0)), random_gradients(1))
    torch.testing.assert_close(twice.shared, 2 * once.shared)
    torch.testing.assert_close(twice.own["a"], 2 * once.own["a"])


@every_method
def test_more_business_weight_is_more_say(name: str) -> None:
    """On tasks that do not overlap, the step goes further along the direction of a task that is worth more."""
    gradients = torch.eye(5)
    before = step(method(name), gradients).shared
    torch.manual_seed(0)
    after = step(method(name, {"a": 1.0, "b": 1.0, "c": 3.0, "d": 1.0, "e": 1.0}), gradients).shared
    assert after[2] / after[0] > 1.5 * before[2] / before[0]


@every_method
def test_a_task_without_weight_is_as_if_absent(name: str) -> None:
    gradients = random_gradients(2)
    off = step(method(name, {"a": 1.0, "b": 0.0, "c": 1.0, "d": 1.0, "e": 1.0}), gradients)
    torch.manual_seed(0)
    absent = step(method(name, dict.fromkeys("acde", 1.0)), gradients[[0, 2, 3, 4]], tasks=tuple("acde"))
    assert off.own["b"] is None
    torch.testing.assert_close(off.shared, absent.shared)


@every_method
def test_a_loss_that_is_not_finite_is_left_out_and_counted(name: str) -> None:
    balancing = method(name)
    values = torch.tensor([1.0, torch.nan, 1.0, torch.inf, 1.0])
    after = step(balancing, random_gradients(3), values)
    assert after.shared.isfinite().all() and after.own["b"] is None and after.own["d"] is None
    assert balancing.take_left_out() == {"b": 1, "d": 1}
    assert balancing.take_left_out() == {}


@every_method
def test_heads_that_have_not_stepped_yet_stop_nothing(name: str) -> None:
    """A head starts with zeros between loss and features: its gradient there is zero, and must not freeze the rest."""
    silent = step(method(name), torch.zeros(5, 7))
    assert (silent.shared == 0).all()
    assert all(OWN_GRADIENT @ gradient > 0 for gradient in silent.own.values())
    gradients = random_gradients(4)
    gradients[3:] = 0.0
    assert step(method(name), gradients).shared.norm() > 0.1


@every_method
def test_every_method_trains_the_joint_model(name: str, few: Shop) -> None:
    model = few_tasks(few, balancing=name, finish_epochs=0)
    epochs = learn(few, model, epochs=3)
    assert epochs[-1].validation_loss < 0.97, "1 is the start"
    assert set(epochs[-1].validation_losses) == set(FEW_TASKS)
    assert epochs[-1].skipped_steps == 0 and epochs[-1].left_out == {}


@pytest.mark.parametrize("name", GRADIENT_METHODS)
def test_gradient_methods_need_something_to_compare(name: str) -> None:
    with pytest.raises(ValidationError, match=f'balancing = "{name}".*sharing = "single".*Remedy'):
        ModelConfig(balancing=name, sharing="single")
    with pytest.raises(ValidationError, match=f'balancing = "{name}".*scheme = "alternating".*Remedy'):
        ModelConfig(balancing=name, scheme="alternating")
    balancing = method(name)
    with pytest.raises(ValueError, match="share nothing"):
        balancing.total({task: torch.ones(()) for task in "abcde"}, [])
