"""What moving prices teach: known truths are found again, and nothing is learned where nothing moved."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from mtl_models.elasticity import (
    FIRST_PRIOR_SPREAD,
    OwnElasticity,
    is_identified,
    own_elasticity,
    shop_elasticity,
)

PRIOR = torch.tensor(FIRST_PRIOR_SPREAD)


def own(units: Tensor, expected: Tensor, ratio: Tensor, ids: Tensor, products: int) -> OwnElasticity:
    weights = torch.ones(len(ids), dtype=torch.float64)
    return own_elasticity(units, expected, ratio, ids, products, weights=weights, prior_spread=PRIOR)


def test_own_prices_move_the_elasticity_as_far_as_they_can_tell() -> None:
    """Product 1 sells much at many prices, product 2 hardly at all, product 3 at one price; the truth is 0.3 off."""
    generator = torch.Generator().manual_seed(0)
    weeks, ids = 60, torch.tensor([1, 2, 3]).repeat_interleave(60)
    ratio = 0.2 * torch.randn(3 * weeks, generator=generator) * (ids != 3)
    expected = torch.where(ids == 2, 0.2, 300.0) * torch.exp(-1.0 * ratio)
    units = torch.poisson(torch.where(ids == 2, 0.2, 300.0) * torch.exp(-1.3 * ratio), generator=generator)
    found = own(units, expected, ratio, ids, products=4)
    assert found.shift[1] == pytest.approx(-0.3, abs=0.1)
    assert abs(found.shift[2]) < 0.2
    assert found.shift[3] == 0 and found.shift[0] == 0
    assert is_identified(found.spread, found.prior_spread).tolist() == [False, True, False, False]
    assert found.spread[3] == pytest.approx(float(found.prior_spread))
    assert found.spread[1] < found.spread[2] <= found.prior_spread


@pytest.mark.parametrize("true_spread", [0.25, 1.0])
def test_how_far_products_differ_is_found_and_intervals_hold_the_truth(true_spread: float) -> None:
    generator = torch.Generator().manual_seed(1)
    products, weeks = 300, 40
    ids = torch.arange(1, products + 1).repeat_interleave(weeks)
    truth = true_spread * torch.randn(products + 1, generator=generator)
    ratio = 0.2 * torch.randn(products * weeks, generator=generator)
    expected = torch.full((products * weeks,), 12.0) * torch.exp(-1.5 * ratio)
    units = torch.poisson(expected * torch.exp(truth[ids] * ratio), generator=generator)
    found = own(units, expected, ratio, ids, products + 1)
    assert float(found.prior_spread) == pytest.approx(true_spread, rel=0.2)
    inside = ((found.shift - truth).abs() < 1.2816 * found.spread)[1:].float().mean()
    assert 0.74 < float(inside) < 0.86


def test_a_week_that_counts_twice_tells_no_more_than_once() -> None:
    generator = torch.Generator().manual_seed(2)
    ids, ratio = torch.ones(80, dtype=torch.int64), 0.2 * torch.randn(80, generator=generator)
    expected = 30 * torch.exp(-ratio)
    units = torch.poisson(30 * torch.exp(-1.6 * ratio), generator=generator)
    once = own(units, expected, ratio, ids, products=2)
    twice = own_elasticity(
        *(torch.cat([values, values]) for values in (units, expected, ratio, ids)),
        products=2,
        weights=torch.full((160,), 0.5, dtype=torch.float64),
        prior_spread=PRIOR,
    )
    torch.testing.assert_close(once.shift, twice.shift)
    torch.testing.assert_close(once.spread, twice.spread)


def test_a_constant_level_is_not_mistaken_for_a_slope() -> None:
    ids, ratio = torch.ones(50, dtype=torch.int64), torch.linspace(0.1, 0.3, 50)
    expected = 100 * torch.exp(-1.0 * ratio)
    assert abs(float(own(expected * 1.2, expected, ratio, ids, products=2).shift[1])) < 0.05


def test_price_evidence_fades_towards_the_prior_and_the_better_informed_wins() -> None:
    strong = OwnElasticity(torch.tensor([0.4, 0.0]), torch.tensor([0.1, FIRST_PRIOR_SPREAD]), PRIOR)
    assert (strong.faded(1.0).spread - strong.spread).abs().max() < 1e-6
    half, gone = strong.faded(0.5), strong.faded(0.0)
    assert 0.1 < half.spread[0] < PRIOR and 0 < half.shift[0] < 0.4
    assert gone.shift[0] == 0 and gone.spread[0] == pytest.approx(FIRST_PRIOR_SPREAD)
    weak = OwnElasticity(torch.tensor([-0.2, -0.1]), torch.tensor([0.3, 0.4]), PRIOR)
    best = weak.or_better(strong)
    assert best.shift.tolist() == pytest.approx([0.4, -0.1]) and best.spread.tolist() == pytest.approx([0.1, 0.4])


def test_the_same_evidence_says_more_under_a_wider_prior() -> None:
    found = OwnElasticity(torch.tensor([0.4]), torch.tensor([0.3]), PRIOR)
    wide = found.under(torch.tensor(1.0))
    assert wide.shift[0] > 0.4 and wide.spread[0] > 0.3
    torch.testing.assert_close(wide.under(PRIOR).shift, found.shift)


def test_the_shops_elasticity_is_found_beside_promotions_and_levels_of_any_size() -> None:
    """Promoted weeks are cheaper and sell twice as much anyway: without the covariate the slope would be far off."""
    generator = torch.Generator().manual_seed(3)
    groups = torch.arange(400).repeat_interleave(4)
    promoted = (torch.rand(1600, generator=generator) < 0.3).float()
    ratio = -0.2 * promoted + 0.1 * torch.randn(1600, generator=generator)
    level = torch.exp(torch.randn(400, generator=generator) + 2)[groups]
    units = torch.poisson(level * torch.exp(-2.4 * ratio + 0.7 * promoted), generator=generator)
    guessed = level * 1.5
    found = shop_elasticity(units, guessed, ratio, promoted[:, None], groups)
    assert found == pytest.approx(-2.4, abs=0.15)
    alone = shop_elasticity(units, guessed, ratio, torch.zeros(1600, 0), groups)
    assert alone is not None and alone < -3.5


@pytest.mark.parametrize("count", [0, 8])
def test_prices_that_never_moved_say_nothing(count: int) -> None:
    flat = torch.zeros(count)
    assert shop_elasticity(flat + 3, flat + 3, flat, torch.zeros(count, 1), torch.zeros(count)) is None
