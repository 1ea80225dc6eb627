"""A curve that never falls."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from mtl_models.rising_curve import KNOTS, SMALLEST_RISE, RisingCurve

GENERATOR = torch.Generator().manual_seed(0)


def at(curve: RisingCurve, *scores: float) -> Tensor:
    return curve(torch.tensor(scores)).detach()


def spenders(rows: int = 20_000) -> tuple[Tensor, Tensor]:
    """Scores, and amounts with twice the exponential of the score as their mean."""
    score = torch.rand(rows, generator=GENERATOR) * 4 - 1
    return score, 2 * score.exp() * (torch.rand(rows, generator=GENERATOR) < 0.5) * 2


@pytest.mark.parametrize("seed", range(5))
def test_it_never_falls_whatever_was_learned(seed: int) -> None:
    torch.manual_seed(seed)
    curve = RisingCurve()
    curve.start(*spenders(200))
    torch.nn.init.normal_(curve.rises, std=5.0)
    assert (curve(torch.linspace(-10, 10, 500)).diff() >= 0).all()


def test_it_starts_at_the_means() -> None:
    score, amount = spenders()
    curve = RisingCurve()
    curve.start(score, amount)
    expected = torch.tensor([0.0, 1.0, 2.0]) + torch.tensor(2.0).log()
    torch.testing.assert_close(at(curve, 0.0, 1.0, 2.0), expected, atol=0.1, rtol=0)
    assert at(curve, *score.tolist()).exp().sum().item() == pytest.approx(float(amount.sum()), rel=0.03)


@pytest.mark.parametrize(("power", "slope"), [(0.0, 0.0), (0.5, 0.5), (1.0, 1.0), (3.0, 1.0)])
def test_beyond_the_last_knot_it_goes_on_but_no_faster_than_the_score(power: float, slope: float) -> None:
    curve, (score, _) = RisingCurve(), spenders()
    curve.start(score, (power * score).exp())
    first, last = float(curve.knots[0]), float(curve.knots[-1])
    assert at(curve, last + 1.0, last + 2.0).diff().item() == pytest.approx(slope, abs=0.05)
    assert at(curve, first - 5.0).item() == pytest.approx(curve.first.item())


def test_what_falls_is_pooled() -> None:
    """Means 1, 5, 3, 8, ... of ten groups: the second and third become 4."""
    means = torch.tensor([1.0, 5.0, 3.0, 8.0, 9.0, 10.0, 11.0, 12.0, 13.0, 14.0])
    curve = RisingCurve()
    curve.start(torch.arange(float(KNOTS)).repeat_interleave(100), means.repeat_interleave(100))
    expected = torch.tensor([1.0, 4.0, 4.0, 8.0, 9.0, 10.0, 11.0, 12.0, 13.0, 14.0]).log()
    torch.testing.assert_close(at(curve, *range(KNOTS)), expected, atol=3 * SMALLEST_RISE, rtol=0)


@pytest.mark.parametrize(
    ("score", "amount"),
    [
        ([], []),
        ([1.0], [5.0]),
        ([1.0] * 50, [0.0] * 50),
        ([1.0] * 50, [5.0] * 50),
        ([0.0] * 40 + [3.0] * 10, [0.0] * 40 + [9.0] * 10),
    ],
    ids=["nobody", "one user", "nobody spent", "all alike", "two kinds"],
)
def test_few_and_equal_scores_have_a_curve_too(score: list[float], amount: list[float]) -> None:
    curve = RisingCurve()
    curve.start(torch.tensor(score), torch.tensor(amount))
    found = curve(torch.linspace(-5, 5, 50))
    assert found.isfinite().all() and (found.diff() >= 0).all()
    if amount and max(amount):
        # What rises where nothing is known rises by next to nothing.
        mean = torch.tensor(max(amount)).log().item()
        assert at(curve, max(score)).item() == pytest.approx(mean, abs=KNOTS * SMALLEST_RISE)


def test_gradients_reach_every_part() -> None:
    curve = RisingCurve()
    score, amount = spenders(500)
    curve.start(score, amount)
    curve(score).sum().backward()
    gradients = [parameter.grad for parameter in (curve.first, curve.rises)]
    assert all(gradient is not None and (gradient > 0).all() for gradient in gradients)
