"""What moving prices teach: known truths are found again, and nothing is learned where nothing moved."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from mtl_models.elasticity import (
    FIRST_PRIOR_SPREAD,
    OwnElasticity,
    Spells,
    is_identified,
    own_elasticity,
    shop_response,
)

PRIOR = torch.tensor(FIRST_PRIOR_SPREAD)


def own(
    units: Tensor, expected: Tensor, ratio: Tensor, ids: Tensor, products: int, categories: Tensor | None = None
) -> OwnElasticity:
    one = torch.ones(products, dtype=torch.int64)
    return own_elasticity(units, expected, ratio, ids, one if categories is None else categories, prior_spread=PRIOR)


def spells(units: Tensor, ratio: Tensor, promoted: Tensor, products: Tensor, markets: Tensor) -> Spells:
    one = torch.ones_like(products)
    return Spells(units, torch.ones(len(units)), ratio, promoted[:, None], products, one, markets)


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


def test_a_constant_level_is_not_mistaken_for_a_slope() -> None:
    ids, ratio = torch.ones(50, dtype=torch.int64), torch.linspace(0.1, 0.3, 50)
    expected = 100 * torch.exp(-1.0 * ratio)
    assert abs(float(own(expected * 1.2, expected, ratio, ids, products=2).shift[1])) < 0.05


def test_products_that_all_lie_beside_what_was_learned_move_together() -> None:
    """The truth is 0.8 stronger than what was learned for every product: one whose price never moved follows too."""
    generator = torch.Generator().manual_seed(4)
    products, weeks = 60, 40
    ids = torch.arange(1, products + 1).repeat_interleave(weeks)
    ratio = 0.2 * torch.randn(products * weeks, generator=generator) * (ids != products)
    expected = 40 * torch.exp(-1.0 * ratio)
    units = torch.poisson(40 * torch.exp(-1.8 * ratio), generator=generator)
    found = own(units, expected, ratio, ids, products + 1)
    assert found.shift[1:-1].mean() == pytest.approx(-0.8, abs=0.1)
    assert found.shift[products] == pytest.approx(float(found.shift[0])) == pytest.approx(-0.8, abs=0.1)


def test_a_product_follows_its_category_as_far_as_that_tells() -> None:
    """Three categories at -1, -2 and -3, whose products differ by 0.3; one product of each never moved its price, and
    one is of no known category."""
    generator = torch.Generator().manual_seed(5)
    products, weeks = 121, 40
    categories = torch.cat([torch.zeros(2, dtype=torch.int64), torch.arange(1, 4).repeat(40)])[: products + 1]
    truth = -categories.float() + 0.3 * torch.randn(products + 1, generator=generator)
    ids = torch.arange(2, products + 1).repeat_interleave(weeks)
    is_still = ids > products - 3
    ratio = 0.2 * torch.randn(len(ids), generator=generator) * ~is_still
    expected = 15 * torch.exp(-2.0 * ratio)
    units = torch.poisson(15 * torch.exp(truth[ids] * ratio), generator=generator)
    found = own(units, expected, ratio, ids, products + 1, categories)
    assert (found.shift[-3:] - 2).sort().values.tolist() == pytest.approx([-3, -2, -1], abs=0.2)
    assert found.shift[1] == pytest.approx(0, abs=0.6) and found.spread[1] == pytest.approx(float(found.prior_spread))
    assert 0.2 < float(found.spread[-1]) < 0.5 < 0.7 < float(found.prior_spread)
    error = found.shift[2:] - 2 - truth[2:]
    assert error.abs().mean() < 0.25
    inside = (error.abs() < 1.2816 * found.spread[2:]).float().mean()
    assert 0.7 < float(inside) < 0.9


def test_the_shops_elasticity_is_found_beside_promotions_levels_and_seasons_of_any_size() -> None:
    """Promoted weeks are cheaper and sell twice as much anyway, and so do the weeks before a feast, when this shop is
    cheap: without either, the slope would be far off."""
    generator = torch.Generator().manual_seed(3)
    products, weeks = torch.arange(1, 401).repeat_interleave(8), torch.arange(8).repeat(400)
    promoted = (torch.rand(3200, generator=generator) < 0.3).float()
    feast = (weeks >= 6).float()
    ratio = -0.2 * promoted - 0.1 * feast + 0.1 * torch.randn(3200, generator=generator)
    level = torch.exp(torch.randn(401, generator=generator) + 2)[products]
    units = torch.poisson(level * torch.exp(-2.4 * ratio + 0.7 * promoted + 0.5 * feast), generator=generator)
    found = shop_response(spells(units, ratio, promoted, products, weeks))
    assert found is not None and found.elasticity == pytest.approx(-2.4, abs=0.15)
    expected = level * torch.exp(0.7 * promoted + 0.5 * feast)
    assert float((found.expected / expected).log().abs().mean()) < 0.15
    for blind in (
        spells(units, ratio, torch.zeros(3200), products, weeks),
        spells(units, ratio, promoted, products, torch.zeros(3200)),
    ):
        wrong = shop_response(blind)
        assert wrong is not None and wrong.elasticity < -2.8


@pytest.mark.parametrize("count", [0, 8])
def test_prices_that_never_moved_say_nothing(count: int) -> None:
    flat, one = torch.zeros(count), torch.zeros(count, dtype=torch.int64)
    assert shop_response(spells(flat + 3, flat, flat, one, one)) is None
