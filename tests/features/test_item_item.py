"""EASE: the closed form is the best item-item model there is, and it finds what goes together."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from mtl_models.item_item import Interactions, best_unseen, fit


@pytest.fixture
def interactions() -> Interactions:
    generator = np.random.default_rng(0)
    user, item = np.nonzero(generator.random((3000, 7)) < 0.4)
    order = generator.permutation(len(user))
    weight = generator.random(len(user)).astype(np.float32)
    return Interactions(user=user[order], item=item[order], weight=weight, users=3001, items=7)


def dense(interactions: Interactions) -> torch.Tensor:
    return torch.cat([block for _, block in interactions.blocks()]).double()


def test_blocks_are_the_matrix(interactions: Interactions) -> None:
    expected = np.zeros((3001, 7))
    expected[interactions.user, interactions.item] = interactions.weight
    assert [first for first, _ in interactions.blocks()] == [0, 2048]
    assert np.allclose(dense(interactions), expected)


def test_no_other_weights_have_a_smaller_loss(interactions: Interactions) -> None:
    x = dense(interactions)
    ridge = 0.5 * (x**2).sum(0).mean()
    best = fit(interactions, relative_ridge=0.5).double()
    assert torch.equal(best.diagonal(), torch.zeros(7, dtype=torch.float64))

    def loss(weights: torch.Tensor) -> torch.Tensor:
        return ((x - x @ weights) ** 2).sum() + ridge * (weights**2).sum()

    for seed in range(20):
        step = 0.01 * torch.randn(7, 7, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
        assert loss(best) < loss(best + step.fill_diagonal_(0))


def test_best_unseen_skips_what_is_known() -> None:
    scores = torch.tensor([[0.9, 0.1, 0.5, 0.3], [0.9, 0.1, 0.5, 0.3], [0.9, 0.1, 0.5, 0.3]])
    seen = torch.tensor([[1.0, 0, 0, 0], [1.0, 1, 1, 0], [0, 0, 0, 0]])
    assert best_unseen(scores, seen, 2).tolist() == [
        [False, False, True, True],
        [False, False, False, True],  # only one is left
        [False, False, False, False],  # nothing is known of this user
    ]
