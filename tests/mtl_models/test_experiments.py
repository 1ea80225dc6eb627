"""The lift of an experiment: what is there is found, what is not there is not."""

from __future__ import annotations

import numpy as np
import pytest

from mtl_models.experiments import FEWEST_USERS, Moments, lifts

EXPERIMENTS = 1500


def moments(amount: np.ndarray, before: np.ndarray) -> Moments:
    """Sums over the last axis."""
    return Moments(
        users=np.full(amount.shape[:-1], float(amount.shape[-1])),
        total=amount.sum(-1),
        squares=(amount**2).sum(-1),
        before_total=before.sum(-1),
        before_squares=(before**2).sum(-1),
        product=(amount * before).sum(-1),
    )


def spend(draw: np.random.Generator, users: int, lift: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    """Skewed as shops are: most users buy nothing, a few much, and who did before does again. A lift is paid by all who
    buy."""
    taste = draw.gamma(0.5, 1.0, (EXPERIMENTS, users))
    before, after = draw.poisson(3 * taste), draw.poisson(taste)
    basket = draw.lognormal(3, 0.5, after.shape)
    return after * basket * (1 + lift), before * 22.0


def share_of(inside: np.ndarray) -> float:
    return float(inside.mean())


@pytest.mark.parametrize(("users", "controls"), [(400, 400), (900, 100)])
def test_an_experiment_on_nothing_finds_nothing_nineteen_times_in_twenty(users: int, controls: int):
    draw = np.random.default_rng(1)
    found = lifts(moments(*spend(draw, users)), moments(*spend(draw, controls)))
    for low, high in ((found.lift_low, found.lift_high), (found.lift_ratio_low, found.lift_ratio_high)):
        # 95% of 1,500 experiments, give or take what a hundred skewed users cost.
        assert 0.92 < share_of((low <= 0) & (high >= 0)) < 0.965


def test_a_planted_lift_is_inside_the_interval():
    draw = np.random.default_rng(2)
    found = lifts(moments(*spend(draw, 500, lift=0.3)), moments(*spend(draw, 500)))
    # What a user spends: taste 0.5, a basket of exp(3 + 0.125).
    true_lift = 0.3 * 0.5 * np.exp(3.125)
    assert 0.93 < share_of((found.lift_low <= true_lift) & (found.lift_high >= true_lift)) < 0.965
    assert 0.93 < share_of((found.lift_ratio_low <= 0.3) & (found.lift_ratio_high >= 0.3)) < 0.965
    assert found.lift.mean() == pytest.approx(true_lift, rel=0.03)


def test_the_time_before_narrows_the_interval_by_what_it_explains():
    draw = np.random.default_rng(3)
    amount, before = spend(draw, 500)
    other, other_before = spend(draw, 500)
    told = lifts(moments(amount, before), moments(other, other_before))
    blind = lifts(moments(amount, 0 * before), moments(other, 0 * other_before))
    assert (blind.explained_ratio == 0).all() and told.explained_ratio.mean() > 0.2
    narrower = (told.lift_high - told.lift_low) / (blind.lift_high - blind.lift_low)
    assert narrower.mean() == pytest.approx(np.sqrt(1 - told.explained_ratio).mean(), rel=0.02)
    # A group that bought more before anything began is not taken for a success.
    lucky = lifts(moments(amount + 10, before + 30), moments(other, other_before))
    assert lucky.lift.mean() < 10


def test_few_users_have_a_lift_but_no_interval():
    draw = np.random.default_rng(4)
    found = lifts(moments(*spend(draw, FEWEST_USERS - 1)), moments(*spend(draw, 500)))
    assert np.isfinite(found.lift).all() and np.isnan(found.lift_low).all()
    nobody_buys = moments(np.zeros((1, 40)), np.zeros((1, 40)))
    nothing = lifts(nobody_buys, nobody_buys)
    assert nothing.lift == 0 and np.isnan(nothing.lift_ratio)
