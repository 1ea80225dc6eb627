"""What each way of sharing is known for."""

from __future__ import annotations

from itertools import pairwise

import pytest
import torch
from torch import Tensor

from mtl_models.sharing.adversarial import ReverseGradient, overlap
from mtl_models.sharing.layers import read_together
from tests.mtl_models.sharing.tiny import TASKS, gradients, make, some_rows, targets_of, train


def last_features(sharing, rows: dict[str, Tensor]) -> dict[str, Tensor]:
    return {task: features.detach() for task, features in sharing.eval()(rows).items()}


# single


def test_a_single_task_reaches_only_its_own_trunk() -> None:
    sharing = make("single")
    for task in TASKS:
        assert {name.split(".")[1] for name in gradients(sharing, task, some_rows())} == {task}


# soft


def test_an_infinite_tie_is_hard_sharing() -> None:
    """Exactly, and through training."""
    rows = some_rows()
    hard, soft = make("hard"), make("soft", soft_tie=float("inf"))
    left, right = (train(sharing, rows, targets_of(rows), steps=30) for sharing in (hard, soft))
    assert left == pytest.approx(right, rel=1e-5) and left[-1] < 0.5 * left[0]
    for task, features in last_features(hard, rows).items():
        torch.testing.assert_close(features, last_features(soft, rows)[task], rtol=1e-4, atol=1e-5)


def test_a_stronger_tie_keeps_trunks_together() -> None:
    rows, distances = some_rows(), []
    for tie in (0.0, 1.0, 100.0, 1e6):
        sharing = make("soft", soft_tie=tie)
        train(sharing, rows, targets_of(rows), steps=60)
        trunks = torch.stack([torch.cat([p.flatten() for p in sharing.trunk(task).values()]) for task in TASKS])
        distances.append((trunks - trunks.mean(dim=0)).norm().item())
    assert all(looser > 1.5 * tighter for looser, tighter in pairwise(distances))
    assert distances[-1] < 1e-3


def test_the_soft_penalty_is_the_tie_times_the_squared_departures() -> None:
    sharing = make("soft", soft_tie=3.0)
    torch.nn.init.constant_(sharing.departures["a"][0].weight, 0.5)  # [8, 5]
    departure = sharing.trunk("a")["0.weight"] - sharing.common[0].weight
    torch.testing.assert_close(sharing.penalty(), 3.0 * (departure**2).sum())


# cross_stitch


def test_identity_stitches_keep_the_trunks_apart() -> None:
    sharing, rows = make("cross_stitch"), some_rows()
    for stitch in sharing.stitches:
        torch.testing.assert_close(stitch.sum(dim=1), torch.ones(3))
        stitch.data = torch.eye(3)
    weight_of = "trunks.layers.0.weights"
    for i, task in enumerate(TASKS):
        reached = gradients(sharing, task, rows)[weight_of].flatten(1).norm(dim=1) > 0
        assert reached.tolist() == [j == i for j in range(3)]


def test_even_stitches_give_tasks_of_one_table_the_same_features() -> None:
    sharing, rows = make("cross_stitch"), some_rows()
    for stitch in sharing.stitches:
        stitch.data = torch.full((3, 3), 1 / 3)
    features = sharing(rows)
    torch.testing.assert_close(features["b"], features["c"])


# mmoe


def test_one_expert_is_hard_sharing() -> None:
    mmoe, hard, rows = make("mmoe", experts=1), make("hard"), some_rows()
    for layer, linear in zip(mmoe.experts.layers, (hard.trunk[0], hard.trunk[4]), strict=True):
        layer.weights.data[0], layer.bias.data[0, 0] = linear.weight.data, linear.bias.data
    for task, features in hard(rows).items():
        torch.testing.assert_close(mmoe(rows)[task], features)


def test_a_gate_that_is_certain_gives_one_expert() -> None:
    sharing, rows = make("mmoe", experts=2), some_rows()
    gate = sharing.task_gates["a"].choose
    gate.weight.data.zero_()
    gate.bias.data = torch.tensor([0.0, 100.0])
    (product,) = read_together([(sharing.experts, rows["left"])])
    torch.testing.assert_close(sharing(rows)["a"], sharing.experts(product)[1])
    torch.testing.assert_close(sharing.gates()["a"], torch.tensor([0.0, 1.0]))


def test_what_reads_the_same_rows_together_reads_as_alone() -> None:
    sharing, rows = make("mmoe"), some_rows()["right"]
    readers = [sharing.experts, *sharing.task_gates.values()]
    together = read_together([(reader, rows) for reader in readers])
    for reader, product in zip(readers, together, strict=True):
        torch.testing.assert_close(product, torch.nn.functional.linear(rows, *reader.reading()))
        torch.testing.assert_close(product, read_together([(reader, rows.clone())])[0])


# ple


@pytest.mark.parametrize("levels", [1, 2])
def test_without_shared_experts_tasks_are_apart(levels: int) -> None:
    """As in `single`: a task's loss reaches its own experts and gates only."""
    sharing = make("ple", shared_experts=0, expert_levels=levels)
    assert sharing.shared_parameters() == []
    for task in TASKS:
        reached = gradients(sharing, task, some_rows())
        assert reached and all(f".{task}." in name for name in reached), task


def test_without_shared_experts_and_with_one_of_its_own_a_task_is_single() -> None:
    ple, single, rows = make("ple", shared_experts=0, specific_experts=1), make("single"), some_rows()
    for task in TASKS:
        layers, trunk = ple.levels[0].own_experts[task].layers, single.trunks[task]
        for layer, linear in zip(layers, (trunk[0], trunk[4]), strict=True):
            layer.weights.data[0], layer.bias.data[0, 0] = linear.weight.data, linear.bias.data
    for task, features in single(rows).items():
        torch.testing.assert_close(ple(rows)[task], features)


@pytest.mark.parametrize("levels", [1, 2])
def test_own_experts_are_not_taught_by_other_rows(levels: int) -> None:
    """Tasks of one table meet in the shared experts of the next level, as in the paper; tasks of other tables never
    enter each other's."""
    sharing = make("ple", shared_experts=2, expert_levels=levels)
    reached = gradients(sharing, "b", some_rows())
    owners = {name.split(".")[3] for name in reached if "own_experts" in name}
    assert owners == ({"b"} if levels == 1 else {"b", "c"})
    assert any("shared_experts" in name for name in reached)


def test_levels_are_as_many_as_set() -> None:
    sharing = make("ple", expert_levels=3)
    assert len(sharing.levels) == 3 and not len(sharing.levels[-1].table_gates)
    assert set(sharing.levels[0].table_gates) == {"left", "right"}


# relationship


def test_the_covariance_stays_positive_definite_with_trace_one() -> None:
    sharing, rows = make("relationship", relationship_strength=0.1), some_rows()
    for _ in range(5):
        train(sharing, rows, targets_of(rows), steps=20, rate=0.1)
        covariance = sharing.covariance().detach()
        torch.testing.assert_close(covariance, covariance.T)
        torch.testing.assert_close(covariance.trace(), torch.tensor(1.0))
        assert float(torch.linalg.eigvalsh(covariance).min()) > 1e-3


def test_the_covariance_becomes_that_of_the_paper() -> None:
    """(W^T W)^1/2 over its trace, for weights that stay as they are."""
    sharing = make("relationship", relationship_strength=1.0)
    sharing.weight.data = torch.randn(3, 6, 8)
    sharing.weight.data[1] = 0.8 * sharing.weight.data[0] + 0.2 * sharing.weight.data[1]
    optimiser = torch.optim.Adam([sharing.factor], lr=0.02)
    for _ in range(400):
        optimiser.zero_grad()
        sharing.penalty().backward()
        optimiser.step()
    flat = sharing.weight.data.flatten(1)
    values, vectors = torch.linalg.eigh(flat @ flat.T)
    root = vectors @ values.sqrt().diag() @ vectors.T
    torch.testing.assert_close(sharing.covariance().detach(), root / root.trace(), atol=0.01, rtol=0)
    correlations = sharing.correlations()
    assert correlations["a", "b"] == correlations["b", "a"] > 0.5 > abs(correlations["a", "c"])


def test_related_tasks_are_found() -> None:
    """Two tasks that learn the same and one that learns the opposite, from the same rows."""
    sharing, rows = make("relationship", relationship_strength=0.01), some_rows(right=200)
    signal = rows["right"][:, 0].tanh()
    targets = {"a": rows["left"][:, 0].tanh(), "b": signal, "c": -signal}
    train(sharing, rows, targets, steps=300)
    correlations = sharing.correlations()
    assert correlations["a", "b"] > correlations["a", "c"] + 0.3
    assert correlations["a", "b"] > correlations["b", "c"] + 0.3


# adversarial


def test_reversal_flips_the_gradient() -> None:
    features = torch.randn(4, 3, requires_grad=True)
    (ReverseGradient.apply(features, torch.tensor(0.5)) * torch.arange(3.0)).sum().backward()
    torch.testing.assert_close(features.grad, -0.5 * torch.arange(3.0).expand(4, 3))


def test_reversal_is_of_the_shared_trunk_not_of_the_discriminator(monkeypatch: pytest.MonkeyPatch) -> None:
    rows, seen = some_rows(), []
    for is_reversed in (True, False):
        sharing = make("adversarial", adversary_strength=0.5, orthogonality_strength=0.0, reversal_steps=1)
        if not is_reversed:
            monkeypatch.setattr(ReverseGradient, "apply", lambda features, strength: features)
        sharing(rows)
        sharing.penalty().backward()
        seen.append({name: p.grad for name, p in sharing.named_parameters() if p.grad is not None})
    strength = float(sharing.reversal_strength())
    assert strength == pytest.approx(0.5, abs=1e-3)
    for name, gradient in seen[0].items():
        sign = 1 if name.startswith("discriminator") else -strength
        torch.testing.assert_close(gradient, sign * seen[1][name])
    assert any(name.startswith("shared") for name in seen[0]) and any(name.startswith("disc") for name in seen[0])


def test_the_reversal_sets_in_with_the_training_passes() -> None:
    sharing, rows, strengths = make("adversarial", adversary_strength=1.0, reversal_steps=10), some_rows(), []
    for _ in range(12):
        strengths.append(float(sharing.reversal_strength()))
        sharing(rows)
    assert strengths[0] == 0.0 and strengths[-1] == strengths[-2] == pytest.approx(1.0, abs=1e-3)
    assert strengths[:11] == sorted(set(strengths[:11]))
    before = sharing.steps.clone()
    sharing.eval()(rows)
    assert torch.equal(sharing.steps, before), "predicting is no training"


def test_a_batch_of_one_table_has_nothing_to_tell_apart() -> None:
    sharing, rows = make("adversarial", orthogonality_strength=0.0), some_rows()
    sharing({"left": rows["left"]})
    assert sharing.penalty().item() == 0.0
    sharing(rows)
    assert sharing.penalty().item() > 0.1
    assert sharing.penalty().item() == 0.0, "it is handed over once"


def test_the_shared_trunk_forgets_which_table_a_row_is_of() -> None:
    """Rows of one table lie elsewhere: a linear rule tells it from shared features, unless they are made to hide it."""
    told_apart, rows = [], some_rows(left=150, right=150)
    rows["left"][:, 4] += 3.0
    truth = torch.ones(300, 1).index_fill(0, torch.arange(150), -1.0)
    for strength in (0.0, 0.02):
        sharing = make("adversarial", adversary_strength=strength, reversal_steps=50)
        losses = train(sharing, rows, targets_of(rows), steps=300)
        features = torch.cat([sharing.shared(torch.cat([*rows.values()])).detach(), torch.ones(300, 1)], dim=1)
        residual = truth - features @ torch.linalg.lstsq(features, truth).solution
        told_apart.append(1 - float((residual**2).mean()))
        assert losses[-1] < 0.01 * losses[0]
    assert told_apart[1] < 0.3 < 0.5 < told_apart[0]


def test_overlap_lies_between_orthogonal_and_equal() -> None:
    generator = torch.Generator().manual_seed(0)
    one_direction = torch.randn(500, 1, generator=generator) * torch.tensor([[1.0, -1.0]])
    assert float(overlap(one_direction, one_direction)) == pytest.approx(1.0, abs=0.02)
    left, right = torch.randn(2, 2000, 4, generator=generator)
    assert float(overlap(left, right)) < 0.01


def test_trunks_are_kept_orthogonal() -> None:
    overlaps, rows = [], some_rows(left=100, right=100)
    for strength in (0.0, 10.0):
        sharing = make("adversarial", adversary_strength=0.0, orthogonality_strength=strength)
        train(sharing, rows, targets_of(rows), steps=100)
        overlaps.append(overlap(sharing.shared(rows["left"]), sharing.private["a"](rows["left"])).item())
    assert overlaps[1] < 0.3 * overlaps[0]
