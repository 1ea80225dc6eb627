"""Methods that look at losses only, and GradNorm, which looks at norms."""

from __future__ import annotations

import math

import pytest
import torch

from tests.mtl_models.balancing.linear_tasks import method, random_gradients, step

ONES = {task: torch.ones(()) for task in "abc"}


def test_uncertainty_starts_as_the_sum_and_finds_the_variances() -> None:
    """At the optimum the variance is the loss: exp(s_j) = L_j."""
    balancing = method("uncertainty", 3)
    losses = {"a": torch.tensor(0.5), "b": torch.tensor(1.0), "c": torch.tensor(4.0)}
    assert balancing.total(losses, []).item() == pytest.approx(5.5)
    optimiser = torch.optim.SGD(balancing.parameters(), lr=0.2)
    for _ in range(300):
        optimiser.zero_grad()
        balancing.total(losses, []).backward()
        optimiser.step()
    torch.testing.assert_close(balancing.log_variances.exp(), torch.tensor([0.5, 1.0, 4.0]), atol=1e-3, rtol=0)


def test_uncertainty_is_bounded_and_leaves_its_bounds_again() -> None:
    balancing = method("uncertainty", 1)
    optimiser = torch.optim.SGD(balancing.parameters(), lr=0.5)

    def weight_after(loss: float, steps: int) -> float:
        for _ in range(steps):
            optimiser.zero_grad()
            balancing.total({"a": torch.tensor(loss)}, []).backward()
            optimiser.step()
        balancing.total({"a": torch.tensor(loss)}, [])
        return balancing.factors({"a": torch.tensor(loss)}, []).item()

    assert weight_after(0.0, 50) == pytest.approx(math.exp(3))
    assert weight_after(1.0, 50) == pytest.approx(1.0, abs=1e-3)


def test_dwa_weighs_alike_until_two_passes_are_known() -> None:
    balancing = method("dwa", 3)
    for losses in ({"a": 1.0, "b": 5.0, "c": 0.1}, None):
        torch.testing.assert_close(balancing.factors(ONES, []), torch.ones(3))
        if losses:
            balancing.end_epoch(losses)


@pytest.mark.parametrize("scale", [1.0, 1000.0])
def test_dwa_follows_the_rates_whatever_the_scale(scale: float) -> None:
    balancing = method("dwa", 3)
    balancing.end_epoch({"a": 1.0 * scale, "b": 1.0, "c": 2.0})
    balancing.end_epoch({"a": 0.5 * scale, "b": 1.0, "c": 2.4})
    rates = torch.tensor([0.5, 1.0, 1.2])
    torch.testing.assert_close(balancing.factors(ONES, []), 3 * torch.softmax(rates / 2, dim=0))


def test_dwa_keeps_the_rate_of_a_task_that_was_not_seen() -> None:
    balancing = method("dwa", 3)
    balancing.end_epoch({"a": 1.0, "b": 1.0, "c": 1.0})
    balancing.end_epoch({"a": 0.5, "b": 1.0})
    torch.testing.assert_close(balancing.rates, torch.tensor([0.5, 1.0, 1.0]))


def test_random_weights_sum_to_the_tasks_and_repeat_by_seed() -> None:
    first, again, other = (method("rlw", 3, seed=seed) for seed in (1, 1, 2))
    draws = [balancing.factors(ONES, []) for balancing in (first, again, other, first)]
    assert all(float(drawn.sum()) == pytest.approx(3.0) and (drawn > 0).all() for drawn in draws)
    assert torch.equal(draws[0], draws[1])
    assert not torch.equal(draws[0], draws[2]) and not torch.equal(draws[0], draws[3])


def test_gradnorm_evens_out_the_norms_of_tasks_that_learn_alike() -> None:
    gradients, balancing = random_gradients(0, spread=0.5), method("gradnorm")
    for _ in range(200):
        step(balancing, gradients)
    norms = balancing.weights * gradients.norm(dim=1)
    assert float(balancing.weights.sum()) == pytest.approx(5.0)
    assert float(norms.max() / norms.min()) < 1.15, gradients.norm(dim=1)


def test_gradnorm_pulls_up_the_task_that_lags() -> None:
    gradients, balancing = torch.eye(3), method("gradnorm", 3)
    step(balancing, gradients, torch.tensor([1.0, 1.0, 1.0]))
    for _ in range(100):
        step(balancing, gradients, torch.tensor([0.5, 0.5, 0.9]))
    left = torch.tensor([0.5, 0.5, 0.9])
    torch.testing.assert_close(
        balancing.weights / balancing.weights.mean(), left**1.5 / (left**1.5).mean(), atol=0.1, rtol=0
    )


def test_gradnorm_does_not_see_the_scale_of_all_losses() -> None:
    weights = []
    for scale in (1.0, 1e-3):
        balancing = method("gradnorm")
        for seed in range(20):
            step(balancing, scale * random_gradients(seed), scale * torch.linspace(1.0, 0.5, 5))
        weights.append(balancing.weights)
    torch.testing.assert_close(weights[0], weights[1])


def test_gradnorm_takes_the_first_loss_that_was_there() -> None:
    """A batch without labels of a task has no loss to compare with."""
    gradients, balancing = torch.eye(3), method("gradnorm", 3)
    step(balancing, gradients * torch.tensor([[1.0], [1.0], [0.0]]), torch.tensor([1.0, 1.0, 0.0]))
    step(balancing, gradients, torch.ones(3))
    torch.testing.assert_close(balancing.first, torch.ones(3))
    torch.testing.assert_close(balancing.weights, torch.ones(3), atol=0.1, rtol=0)
