"""What each paper promises of the shared gradient, on gradients that are given."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from mtl_models.balancing.gradients import METHODS
from tests.mtl_models.balancing.linear_tasks import OWN_GRADIENT, method, random_gradients, step

SEEDS = range(30)


def shared_gradient(name: str, gradients: Tensor) -> Tensor:
    """[width] in double precision, as sum of weighted gradients."""
    ones = torch.ones(len(gradients))
    return method(name, len(gradients)).weigh(gradients, ones).double() @ gradients.double()


@pytest.mark.parametrize("name", METHODS)
def test_own_parameters_follow_their_own_loss_alone(name: str) -> None:
    after = step(method(name, {"a": 1.0, "b": 2.0, "c": 0.5}), random_gradients(0, tasks=3))
    for task, weight in {"a": 1.0, "b": 2.0, "c": 0.5}.items():
        torch.testing.assert_close(after.own[task], weight * OWN_GRADIENT)


@pytest.mark.parametrize("name", METHODS)
def test_the_total_has_the_gradient_that_was_weighed(name: str) -> None:
    torch.manual_seed(0)
    gradients = random_gradients(1)
    after = step(method(name), gradients)
    torch.manual_seed(0)
    torch.testing.assert_close(after.shared, shared_gradient(name, gradients).float())


@pytest.mark.parametrize("name", METHODS)
@pytest.mark.parametrize("scale", [1e-6, 1e6])
def test_the_scale_of_all_gradients_changes_no_weight(name: str, scale: float) -> None:
    torch.manual_seed(0)
    gradients, ones = random_gradients(2), torch.ones(5)
    expected = method(name).weigh(gradients, ones)
    torch.manual_seed(0)
    torch.testing.assert_close(method(name).weigh(scale * gradients, ones), expected, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("name", sorted(METHODS.keys() - {"pcgrad"}))  # which projects in random order
def test_the_order_of_the_tasks_does_not_matter(name: str) -> None:
    gradients, order = random_gradients(3), torch.tensor([3, 0, 4, 1, 2])
    weights = method(name).weigh(gradients, torch.ones(5))
    torch.testing.assert_close(
        method(name).weigh(gradients[order], torch.ones(5)), weights[order], rtol=1e-3, atol=1e-4
    )


@pytest.mark.parametrize("name", ["pcgrad", "upgrad", "alignedmtl", "mgda"])
def test_without_conflict_and_of_one_length_it_is_the_sum(name: str) -> None:
    torch.testing.assert_close(shared_gradient(name, torch.eye(4)), torch.ones(4).double(), rtol=1e-3, atol=0)


@pytest.mark.parametrize("spread", [0.0, 2.0])
def test_upgrad_never_hurts_a_task(spread: float) -> None:
    """The inner product with every task's gradient is not negative, whatever the tasks are worth."""
    for seed in SEEDS:
        gradients, worth = random_gradients(seed, spread=spread), 0.1 + 5 * torch.rand(5)
        combined = method("upgrad").weigh(gradients, worth).double() @ gradients.double()
        cosines = gradients.double() @ combined / (gradients.double().norm(dim=1) * combined.norm())
        assert cosines.min() > -1e-4, (seed, cosines)


def test_the_plain_sum_would_hurt() -> None:
    """The test above looks at conflicts."""
    hurt = [(random_gradients(seed) @ random_gradients(seed).sum(dim=0)).min() < 0 for seed in SEEDS]
    assert sum(hurt) > len(SEEDS) / 2


def test_pcgrad_projects_each_gradient_off_the_other() -> None:
    one, other = torch.tensor([1.0, 0.0]), torch.tensor([-1.0, 1.0])
    expected = one - (one @ other) / (other @ other) * other + other - (other @ one) / (one @ one) * one
    torch.testing.assert_close(shared_gradient("pcgrad", torch.stack([one, other])).float(), expected)


def test_pcgrad_is_the_sum_without_conflict() -> None:
    for seed in SEEDS:
        gradients = random_gradients(seed, spread=1.0).abs()
        torch.testing.assert_close(shared_gradient("pcgrad", gradients), gradients.double().sum(dim=0))


def test_mgda_of_two_tasks_is_the_shortest_of_their_segment() -> None:
    for seed in SEEDS:
        one, other = random_gradients(seed, tasks=2, spread=0.5).double()
        share = float(((other - one) @ other / (other - one).square().sum()).clamp(0, 1))
        weights = method("mgda", 2).weigh(torch.stack([one, other]), torch.ones(2)) / 2
        torch.testing.assert_close(weights, torch.tensor([share, 1 - share]), atol=1e-4, rtol=0)


def test_mgda_is_on_the_simplex_and_about_the_shortest() -> None:
    for seed in SEEDS:
        gradients = random_gradients(seed, width=20)
        weights = method("mgda").weigh(gradients, torch.ones(5)) / 5
        assert (weights >= 0).all() and float(weights.sum()) == pytest.approx(1.0, abs=1e-5)
        torch.manual_seed(seed)
        others = torch.distributions.Dirichlet(torch.ones(5)).sample((500,)) @ gradients
        assert (weights @ gradients).norm() <= 1.05 * others.norm(dim=1).min()


def test_cagrad_stays_near_the_mean_and_serves_the_worst_task_better() -> None:
    for seed in SEEDS:
        gradients = random_gradients(seed).double()
        mean, found = gradients.mean(dim=0), shared_gradient("cagrad", gradients) / 5
        assert (found - mean).norm() <= 0.4 * mean.norm() * 1.001
        assert (gradients @ found).min() >= (gradients @ mean).min() - 1e-6


def test_nashmtl_gives_each_task_the_same_share_of_the_bargain() -> None:
    """alpha_i (G alpha)_i is the same for all: G alpha = 1 / alpha."""
    for seed in range(5):
        gradients = random_gradients(seed)
        weights = method("nashmtl").weigh(gradients, torch.ones(5))
        shares = weights * (gradients @ gradients.T @ weights)
        assert (weights > 0).all() and float(shares.max() / shares.min()) < 1.1, shares


def test_alignedmtl_makes_directions_equally_long() -> None:
    gradients = torch.diag(torch.tensor([1.0, 10.0, 100.0]))
    found = shared_gradient("alignedmtl", gradients)
    torch.testing.assert_close(found, torch.ones(3).double(), rtol=1e-3, atol=0)


@pytest.mark.parametrize("name", METHODS)
def test_a_silent_task_leaves_the_others_as_they_are(name: str) -> None:
    gradients = random_gradients(5, tasks=4)
    torch.manual_seed(0)
    expected = method(name, 4).weigh(gradients, torch.ones(4))
    torch.manual_seed(0)
    weights = method(name, 5).weigh(torch.cat([gradients, torch.zeros(1, 7)]), torch.ones(5))
    torch.testing.assert_close(weights, torch.cat([expected, torch.ones(1)]))


@pytest.mark.parametrize("name", ["cagrad", "nashmtl"])
def test_a_missing_solver_is_named_with_its_remedy(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("torchjd._mixins.find_spec", lambda package: None)
    with pytest.raises(ImportError, match=rf'balancing = "{name}".*Remedy: .*\[gradients\]'):
        method(name)
