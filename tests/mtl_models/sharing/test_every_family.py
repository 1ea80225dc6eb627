"""What every way of sharing promises."""

from __future__ import annotations

from copy import deepcopy

import pytest
import torch
from torch import Tensor

from tests.mtl_models.sharing.tiny import FAMILIES, TASKS, gradients, make, some_rows, targets_of, train

every_family = pytest.mark.parametrize("family", FAMILIES)


def reordered(state: dict[str, Tensor], order: list[int]) -> dict[str, Tensor]:
    """The weights with every axis of tasks (the only ones of that length) in another order."""
    for name, values in state.items():
        for axis, length in enumerate(values.shape):
            if length == len(order):
                values = values.index_select(axis, torch.tensor(order))
        state[name] = values
    return state


@every_family
def test_each_task_gets_features_of_its_rows(family: str) -> None:
    sharing, rows = make(family), some_rows()
    features = sharing(rows)
    assert {task: tuple(part.shape) for task, part in features.items()} == {
        task: (len(rows[table]), sharing.width) for task, table in TASKS.items()
    }


@every_family
def test_rows_do_not_depend_on_other_tables(family: str) -> None:
    """A feed that is missing tonight changes nothing for the others."""
    sharing, rows = make(family).eval(), some_rows()
    together = sharing(rows)
    alone = {table: sharing({table: part}) for table, part in rows.items()}
    assert set(alone["left"]) == {"a"} and set(alone["right"]) == {"b", "c"}
    for task, table in TASKS.items():
        torch.testing.assert_close(alone[table][task], together[task])


@every_family
def test_with_relu_features_are_not_negative(family: str) -> None:
    least = {}
    for activation in ("relu", "norm_silu"):
        features = make(family, activation=activation)(some_rows())
        least[activation] = min(part.min().item() for part in features.values())
    assert least["norm_silu"] < 0 <= least["relu"]


@every_family
def test_training_lowers_the_loss(family: str) -> None:
    sharing, rows = make(family, reversal_steps=20), some_rows()
    losses = train(sharing, rows, targets_of(rows), steps=60)
    assert losses[-1] < 0.3 * losses[0]


@every_family
def test_what_is_shared_is_trained_by_every_task(family: str) -> None:
    sharing, rows = make(family), some_rows()
    train(sharing, rows, targets_of(rows), steps=2)
    shared = sharing.shared_parameters()
    assert bool(shared) == (family != "single")
    by_identity = {id(parameter): name for name, parameter in sharing.named_parameters()}
    for task in TASKS:
        reached = gradients(sharing, task, rows)
        assert all(by_identity[id(parameter)] in reached for parameter in shared), task


@every_family
def test_the_order_of_tasks_means_nothing(family: str) -> None:
    sharing, rows = make(family).eval(), some_rows()
    other = make(family, tasks=dict(reversed(TASKS.items())), seed=1).eval()
    other.load_state_dict(reordered(sharing.state_dict(), [2, 1, 0]))
    left, right = sharing(rows), other(rows)
    assert list(right) == ["c", "b", "a"]
    for task in TASKS:
        torch.testing.assert_close(left[task], right[task])


@every_family
def test_what_depends_on_the_tasks_order_is_named(family: str) -> None:
    """`task_axes` names just the parameters with an axis of tasks; all others are named by their task."""
    sharing = make(family)
    by_order = {name for name, parameter in sharing.named_parameters() if len(TASKS) in parameter.shape}
    assert by_order == {name for name, _ in sharing.named_parameters() if name.split(".")[0] in sharing.task_axes}


@every_family
def test_a_penalty_is_a_number_from_zero(family: str) -> None:
    sharing, rows = make(family), some_rows()
    train(sharing, rows, targets_of(rows), steps=3)
    sharing(rows)
    penalty = sharing.penalty().detach()
    assert penalty.shape == () and torch.isfinite(penalty)
    assert (float(penalty) > 0) == (family in {"soft", "relationship", "adversarial"})


@every_family
def test_a_copy_of_a_trained_family_gives_the_same_features(family: str) -> None:
    """Averaged weights begin as a copy, which must not hold on to the graph of a step."""
    sharing, rows = make(family), some_rows()
    train(sharing, rows, targets_of(rows), steps=2)
    copy, restored = deepcopy(sharing).eval(), make(family, seed=3).eval()
    restored.load_state_dict(sharing.state_dict())
    expected = sharing.eval()(rows)
    for task in TASKS:
        assert torch.equal(copy(rows)[task], expected[task])
        assert torch.equal(restored(rows)[task], expected[task])


@pytest.mark.parametrize("family", ["mmoe", "ple"])
def test_gates_add_up_to_one_and_differ_between_tasks(family: str) -> None:
    sharing, rows = make(family), some_rows()
    train(sharing, rows, targets_of(rows), steps=20)
    gates = sharing.gates()
    assert set(gates) == set(TASKS)
    for shares in gates.values():
        assert len(shares) == len(sharing.expert_names) and bool((shares > 0).all())
        torch.testing.assert_close(shares.sum(), torch.tensor(1.0))
    assert not torch.allclose(gates["b"], gates["c"], atol=1e-3)


def test_only_experts_have_gates() -> None:
    assert [family for family in FAMILIES if make(family).gates()] == ["mmoe", "ple"]


def test_dropout_keeps_the_mean_and_is_off_when_predicting() -> None:
    torch.manual_seed(0)
    ones = torch.ones(400, 250)
    layer = make("hard", dropout=0.2).trunk[3]
    dropped = layer(ones)
    kept = dropped > 0
    assert float(kept.float().mean()) == pytest.approx(0.8, abs=0.005)
    assert float(dropped.mean()) == pytest.approx(1.0, abs=0.005)
    together = (kept[:, :-1] & kept[:, 1:]).float().mean()
    assert float(together) == pytest.approx(0.64, abs=0.01), "neighbours are dropped independently"
    assert torch.equal(layer.eval()(ones), ones)
