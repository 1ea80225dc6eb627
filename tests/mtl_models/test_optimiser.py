"""Big tables of ids: a step trains the rows that it saw and costs no more; small ones are trained as ever."""

from __future__ import annotations

import time
from collections.abc import Iterator
from copy import deepcopy

import pytest
import torch
from torch import Tensor, nn

from mtl_models import encoders
from mtl_models.config import ModelConfig
from mtl_models.encoders import EntityEncoder, big_tables
from mtl_models.fit import Learner
from mtl_models.optimiser import AVERAGE_MEMORY, GRADIENT_NORM, Optimiser
from mtl_models.relative_losses import start_losses
from tasks.planning.ids import bytes_per_id
from tests.mtl_models.toy_shop import CONFIG, TASKS, Shop, new_model, spec

STEPS = 30


class Lookup(nn.Module):
    """A table of ids alone; each batch wants its rows to be another number."""

    def __init__(self, rows: int, *, sparse: bool) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.table = nn.Embedding(rows, 3, sparse=sparse)
        self.layer = nn.Linear(3, 1)


def batches(rows: int) -> Iterator[Tensor]:
    generator = torch.Generator().manual_seed(1)
    for _ in range(STEPS):
        yield torch.randint(0, rows, (7,), generator=generator)


def step(model: Lookup, optimiser: Optimiser, ids: Tensor) -> None:
    optimiser.clear()
    (model.layer(model.table(ids)) - 4).square().sum().backward()
    optimiser.clip()
    optimiser.step()


def learner_of(shop: Shop, config: ModelConfig = CONFIG) -> Learner:
    model = new_model(shop, config)
    scales = start_losses(model, shop.entities, shop.train)
    return Learner(model, shop.entities, scales, dict.fromkeys(TASKS, 1.0), None)


def optimiser_of(model: nn.Module) -> Optimiser:
    groups = [{"params": list(model.parameters()), "lr": 1e-2, "factor": 1.0}]
    return Optimiser(model, groups, CONFIG)  # type: ignore[arg-type]


def test_small_tables_are_trained_bit_for_bit_as_by_plain_adamw() -> None:
    model = Lookup(40, sparse=False)
    plain, ours = deepcopy(model), optimiser_of(model)
    reference = torch.optim.AdamW(plain.parameters(), lr=1e-2, weight_decay=CONFIG.weight_decay, fused=True)
    averaged = deepcopy(plain)
    for number, ids in enumerate(batches(40)):
        step(model, ours, ids)
        reference.zero_grad()
        (plain.layer(plain.table(ids)) - 4).square().sum().backward()
        nn.utils.clip_grad_norm_(plain.parameters(), GRADIENT_NORM)
        reference.step()
        memory = min(AVERAGE_MEMORY, (1 + number) / (10 + number)) if number else 0.0
        with torch.no_grad():
            torch._foreach_lerp_([*averaged.parameters()], [*plain.parameters()], 1 - memory)
    ours.catch_up()
    for found, wanted in ((model, plain), (ours.average, averaged)):
        assert all(torch.equal(a, b) for a, b in zip(found.parameters(), wanted.parameters(), strict=True))


def test_tables_of_todays_sizes_are_small() -> None:
    """The largest shop that was measured knows 92,351 products."""
    assert big_tables(EntityEncoder(spec(92_351, "product"), CONFIG)) == []
    assert len(big_tables(EntityEncoder(spec(encoders.SPARSE_ROWS, "product"), CONFIG))) == 1


def test_a_step_moves_the_rows_that_it_saw_and_no_others() -> None:
    model = Lookup(40, sparse=True)
    before, ours = model.table.weight.detach().clone(), optimiser_of(model)
    for _ in range(2):
        step(model, ours, torch.tensor([3, 8, 3]))
    moved = (model.table.weight != before).any(dim=1).nonzero().flatten()
    assert moved.tolist() == [3, 8]
    assert (ours.average.table.weight != before).any(dim=1).nonzero().flatten().tolist() == [3, 8]


def test_the_average_of_a_big_table_is_that_of_following_each_step() -> None:
    model = Lookup(40, sparse=True)
    ours, eager = optimiser_of(model), deepcopy(model.table.weight.detach())
    for number, ids in enumerate(batches(40)):
        step(model, ours, ids)
        memory = min(AVERAGE_MEMORY, (1 + number) / (10 + number)) if number else 0.0
        eager.lerp_(model.table.weight.detach(), 1 - memory)
        if number == STEPS // 2:
            ours.catch_up()  # as at the end of a pass
    assert not torch.allclose(ours.average.table.weight, eager, atol=1e-4), "not before it is asked for"
    ours.catch_up()
    torch.testing.assert_close(ours.average.table.weight, eager, atol=1e-6, rtol=1e-5)


def test_clipping_counts_the_rows_of_big_tables_once_each() -> None:
    """The gradients of one row in several places of a batch are one gradient."""
    dense, sparse = Lookup(40, sparse=False), Lookup(40, sparse=True)
    for model in (dense, sparse):
        ours = optimiser_of(model)
        (model.layer(model.table(torch.tensor([3, 8, 3]))) - 4).square().sum().backward()
        model.norm = ours.clip()
    torch.testing.assert_close(sparse.norm, dense.norm)
    torch.testing.assert_close(sparse.table.weight.grad.to_dense(), dense.table.weight.grad)


def test_a_joint_model_learns_as_much_with_big_tables(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """One pass and a fresh start from its weights, with and without; ids hidden, banks, heads and all."""
    losses = {}
    for least in (encoders.SPARSE_ROWS, 10):
        monkeypatch.setattr(encoders, "SPARSE_ROWS", least)
        learner = learner_of(shop)
        assert len(learner.optimiser.tables) == (0 if least > 10 else 2)
        learner.learn(shop.train)
        learner.restart_from(learner.averaged_weights(), CONFIG.learning_rate)
        assert learner.learn(shop.train)["skipped_steps"] == 0
        losses[least] = learner.learn(shop.train)["training_loss"]
    dense, sparse = losses.values()
    assert sparse == pytest.approx(dense, rel=0.05)
    assert sparse != dense


def test_a_step_costs_no_more_with_a_million_rows() -> None:
    """Neither time nor what it allocates grows with the table, whose weights alone are twelve megabytes."""
    cost, allocated = {}, {}
    for rows in (20_000, 1_000_000):
        model = Lookup(rows, sparse=True)
        ours, drawn = optimiser_of(model), [torch.randint(0, rows, (500,)) for _ in range(12)]
        step(model, ours, drawn[0])  # the first makes what the optimiser remembers
        clock = time.process_time()
        for ids in drawn[1:-1]:
            step(model, ours, ids)
        cost[rows] = time.process_time() - clock
        with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CPU], profile_memory=True) as profile:
            step(model, ours, drawn[-1])
        allocated[rows] = sum(max(event.self_cpu_memory_usage, 0) for event in profile.key_averages())
    assert cost[1_000_000] < 4 * cost[20_000], cost
    assert allocated[1_000_000] < 2 * allocated[20_000], allocated
    assert allocated[1_000_000] < 1_000_000


def test_a_million_ids_take_the_memory_that_a_plan_says() -> None:
    """In tensors, once every kind has taken a step; the best weights so far and the copy that replaces them are two
    more of the same."""
    rows, width = 50_000, 3
    model = Lookup(rows, sparse=True)
    ours = optimiser_of(model)
    step(model, ours, torch.tensor([3, 8]))
    moments = [state for state in ours.kinds[1].state[model.table.weight].values() if isinstance(state, Tensor)]
    held = [model.table.weight, ours.average.table.weight, ours.tables[0].log_memory, *moments]
    bytes_held = sum(tensor.numel() * tensor.element_size() for tensor in held)
    assert bytes_held + 2 * model.table.weight.numel() * 4 == rows * bytes_per_id(width)
