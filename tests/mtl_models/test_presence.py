"""Presence: what days on which users show up say about who is still there, and when they will order."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from mtl_models import presence
from mtl_models.metrics import auc
from mtl_models.presence import RATES, Habits, follow, learn_habits, look_ahead, order_chance

TRUE = Habits(
    prior=torch.softmax(-((RATES.log() + 2.0) ** 2) / 2, dim=0),
    leaves=0.006,
    returns=0.003,
    moves=0.0,
    seen_away=0.001,
    weekday=torch.tensor([0.8, 0.8, 0.8, 0.8, 1.2, 1.4, 1.2]),
    orders=4.0,
    no_orders=8.0,
)
DAYS, AHEAD = 150, 28


@pytest.fixture(scope="module")
def lived() -> dict[str, Tensor]:
    """A shop of users who live by TRUE, the first days and four weeks more."""
    generator = torch.Generator().manual_seed(3)
    users, days = 3000, DAYS + AHEAD

    def drawn(chance: Tensor | float) -> Tensor:
        return torch.rand(users, generator=generator) < chance

    rate = torch.multinomial(TRUE.prior, users, replacement=True, generator=generator)
    chance = torch._sample_dirichlet(torch.tensor([[TRUE.orders, TRUE.no_orders]]).expand(users, 2), generator)[:, 0]
    is_present, came, ordered = torch.ones(users, dtype=torch.bool), [], []
    present_at_cutoff = is_present
    for day in range(days):
        if day == DAYS:
            present_at_cutoff = is_present
        came.append(drawn(torch.where(is_present, TRUE.shows_up(day % 7)[rate], TRUE.seen_away)))
        ordered.append(came[-1] & drawn(chance))
        is_present = torch.where(is_present, ~drawn(TRUE.leaves), drawn(TRUE.returns))
    came_all, ordered_all = torch.stack(came, dim=1), torch.stack(ordered, dim=1)
    known = came_all[:, :DAYS].any(dim=1)
    return {
        "came": came_all[known, :DAYS],
        "ordered": ordered_all[known, :DAYS],
        "first": came_all[known].to(torch.uint8).argmax(dim=1),
        "orders_ahead": ordered_all[known, DAYS:].sum(dim=1),
        "is_present": present_at_cutoff[known],
    }


@pytest.fixture(scope="module")
def learned(lived: dict[str, Tensor]) -> Habits:
    few = slice(0, 800)
    return learn_habits(lived["came"][few], lived["ordered"][few], lived["first"][few], 0)


def known(habits: Habits, came: Tensor, first: Tensor | None = None, weekday: int = 0) -> tuple[Tensor, Tensor]:
    """What the evening after the last day knows."""
    start = came.to(torch.uint8).argmax(dim=1) if first is None else first
    return next(follow(habits, came, start, weekday, [came.shape[1]]))


def outlook(habits: Habits, lived: dict[str, Tensor]) -> presence.Outlook:
    came, ordered = (lived[name].sum(dim=1) for name in ("came", "ordered"))
    return look_ahead(habits, *known(habits, lived["came"]), order_chance(habits, came, ordered), DAYS % 7)


# --- properties ------------------------------------------------------------------------------------------------------


def test_nobody_is_lost_overnight() -> None:
    present, away = torch.rand(2, 5, len(RATES))
    habits = replace(TRUE, moves=0.05)
    after = habits.overnight(present, away)
    torch.testing.assert_close(sum(after).sum(dim=1), (present + away).sum(dim=1))


def test_yesterday_is_the_transpose_of_overnight() -> None:
    habits = replace(TRUE, moves=0.05)
    present, away, here, gone = torch.rand(4, 5, len(RATES), dtype=torch.double)
    after, before = habits.overnight(present, away), habits.yesterday(here, gone)
    torch.testing.assert_close(
        (after[0] * here + after[1] * gone).sum(), (present * before[0] + away * before[1]).sum()
    )


def test_what_is_known_is_a_distribution(lived: dict[str, Tensor]) -> None:
    present, away = known(TRUE, lived["came"])
    torch.testing.assert_close((present + away).sum(dim=1), torch.ones(len(present)))
    assert present.min() >= 0 <= away.min()


def test_silence_speaks_for_having_left_the_sooner_the_more_often_one_came() -> None:
    often, seldom = torch.zeros(2, 120, dtype=torch.bool)
    often[:60], seldom[:60:12] = True, True
    came = torch.stack([often, seldom])
    days = [60, 63, 66, 80, 100, 120]
    there = torch.stack([present.sum(dim=1) for present, _ in follow(TRUE, came, torch.zeros(2), 0, days)])
    assert (there[:, 1].diff() < 0).all() and (there[:3, 0].diff() < 0).all()
    assert (there[1:, 0] < there[1:, 1]).all()


def test_a_later_day_is_unknown_to_an_earlier_one(lived: dict[str, Tensor]) -> None:
    changed = lived["came"].clone()
    changed[:, 100:] = ~changed[:, 100:]
    for came in (lived["came"][:, :100], changed):
        before = next(follow(TRUE, came, lived["first"], 0, [100]))
        torch.testing.assert_close(before, next(follow(TRUE, lived["came"], lived["first"], 0, [100])))


def test_two_stops_on_the_way_change_nothing(lived: dict[str, Tensor]) -> None:
    *_, late = follow(TRUE, lived["came"], lived["first"], 0, [40, 41, 90])
    torch.testing.assert_close(late, next(follow(TRUE, lived["came"], lived["first"], 0, [90])))


def test_seven_days_are_no_longer_than_twenty_eight(lived: dict[str, Tensor]) -> None:
    ahead = outlook(TRUE, lived)
    assert (ahead.order_probability_7d <= ahead.order_probability_28d).all()
    assert (ahead.order_probability_28d <= ahead.expected_order_days_28d + 1e-6).all()
    assert ahead.order_probability_28d.min() >= 0 and ahead.presence.max() <= 1 + 1e-6


def test_each_round_of_learning_makes_what_happened_likelier(lived: dict[str, Tensor]) -> None:
    few = slice(0, 300)
    came, ordered, first = (lived[name][few] for name in ("came", "ordered", "first"))
    likelihoods = []
    for rounds in (0, 1, 3, 8):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(presence, "ROUNDS", rounds)
            likelihoods.append(log_likelihood(learn_habits(came, ordered, first, 0), came, first))
    assert likelihoods == sorted(likelihoods)


def log_likelihood(habits: Habits, came: Tensor, first: Tensor) -> float:
    total = 0.0
    for day, (present, away) in enumerate(follow(habits, came, first, 0, range(came.shape[1]))):
        comes = present @ habits.shows_up(day % 7) + habits.seen_away * away.sum(dim=1)
        total += float((torch.where(came[:, day], comes, 1 - comes).log() * (first < day)).sum())
    return total


# --- given and expected ----------------------------------------------------------------------------------------------


def test_who_cannot_leave_is_counted() -> None:
    """Without coming and going what is left is Bayes' rule for the rate."""
    habits = replace(TRUE, leaves=0.0, weekday=torch.ones(7))
    came = torch.zeros(1, 11, dtype=torch.bool)
    came[0, [0, 2, 3, 7]] = True
    chances = habits.shows_up(0)
    expected = habits.prior * chances**3 * (1 - chances) ** 7
    present, away = known(habits, came)
    torch.testing.assert_close(present[0], expected / expected.sum())
    assert away.sum() == 0


def test_one_known_before_the_first_day_is_followed_from_it() -> None:
    came = torch.zeros(2, 30, dtype=torch.bool)
    present, _ = known(TRUE, came, torch.tensor([-5, 29]))
    assert present[0].sum() < present[1].sum() == 1


def test_orders_ahead_of_one_who_comes_daily() -> None:
    habits = replace(TRUE, leaves=0.0, weekday=torch.ones(7))
    present, away = torch.zeros(2, 1, len(RATES))
    present[0, -1] = 1.0
    comes = float(habits.shows_up(0)[-1])
    ahead = look_ahead(habits, present, away, torch.tensor([0.25]), 0)
    assert float(ahead.expected_order_days_28d) == pytest.approx(28 * comes * 0.25, rel=1e-4)
    assert float(ahead.order_probability_7d) == pytest.approx(1 - (1 - 0.25 * comes) ** 7, rel=1e-4)


def test_where_only_orders_are_known_a_day_is_an_order() -> None:
    came = torch.rand(200, 60, generator=torch.Generator().manual_seed(1)) < 0.2
    habits = learn_habits(came, came, came.to(torch.uint8).argmax(dim=1), 0)
    assert float(order_chance(habits, torch.tensor([3]), torch.tensor([3]))) > 0.98


@pytest.mark.parametrize("share", [0.0, 1.0], ids=["nobody comes again", "everybody comes daily"])
def test_a_strange_shop_has_habits_too(share: float) -> None:
    came = torch.full((20, 40), bool(share))
    came[:, 0] = True
    habits = learn_habits(came, came, torch.zeros(20), 3)
    ahead = look_ahead(habits, *known(habits, came), torch.full((20,), 0.5), 0)
    assert ahead.order_probability_28d.isfinite().all()
    assert (ahead.expected_order_days_28d > 10).all() if share else (ahead.expected_order_days_28d < 1).all()


@pytest.mark.parametrize("shape", [(0, 40), (5, 0)], ids=["no users", "no days"])
def test_nothing_seen_leaves_what_is_usual(shape: tuple[int, int]) -> None:
    nothing = torch.zeros(shape, dtype=torch.bool)
    habits = learn_habits(nothing, nothing, torch.zeros(shape[0]), 2)
    assert habits.prior.sum() == pytest.approx(1, abs=1e-5) and habits.weekday.tolist() == [1.0] * 7
    assert 0 < habits.leaves < habits.returns < 0.01


# --- recovery of known truth -----------------------------------------------------------------------------------------


def test_habits_are_learned(learned: Habits) -> None:
    assert learned.leaves == pytest.approx(TRUE.leaves, rel=0.35)
    assert learned.returns == pytest.approx(TRUE.returns, rel=0.6)
    assert float(learned.prior @ RATES.log()) == pytest.approx(float(TRUE.prior @ RATES.log()), abs=0.25)
    assert learned.orders / (learned.orders + learned.no_orders) == pytest.approx(1 / 3, abs=0.03)
    assert float(learned.weekday[5] / learned.weekday[0]) == pytest.approx(1.4 / 0.8, rel=0.15)


def test_predictions_are_as_good_as_with_the_true_habits(learned: Habits, lived: dict[str, Tensor]) -> None:
    is_buyer = (lived["orders_ahead"] > 0).numpy()
    ours, best = (outlook(habits, lived) for habits in (learned, TRUE))
    assert auc(is_buyer, ours.order_probability_28d.numpy()) > auc(is_buyer, best.order_probability_28d.numpy()) - 0.004
    assert float(ours.order_probability_28d.mean()) == pytest.approx(is_buyer.mean(), abs=0.02)
    assert float(ours.expected_order_days_28d.mean()) == pytest.approx(
        float(lived["orders_ahead"].float().mean()), rel=0.08
    )
    assert float(ours.presence.mean()) == pytest.approx(float(lived["is_present"].float().mean()), abs=0.04)
