"""Who is still there, and how often they will come: a hidden Markov model of the days on which users show up.

A user has a rate and is present or away. Present, they show up on a day with chance 1 - exp(-rate * weekday's factor);
away, with a small one. Overnight they leave, come back, or move to the next rate up or down. Rates are a fixed grid
whose prior shares are learned (Laird, JASA 1978: a mixing distribution without a form), as is the rest, by expectation
maximisation (Rabiner, Proc. IEEE 1989). This is the buy-till-you-die family (Schmittlein, Morrison and Colombo,
Management Science 1987) with a way back (Netzer, Lattin and Srinivasan, Marketing Science 2008).

A day on which a user shows up brings an order with a chance of the user's own, beta over users. Where only orders are
known, users show up on the days of their orders, and that chance is all but one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import torch
from torch import Tensor

# From once in two years to all but every day, in equal steps of the logarithm.
RATES = torch.logspace(-2.86, 0.6, 16)
ROUNDS = 12
# Nights that are taken for seen before the first one, so that a shop of a few days has habits too.
_NIGHTS, _LEAVES, _RETURNS, _MOVES, _SEEN_AWAY = 1000.0, 2.0, 5.0, 2.0, 10.0
_CONCENTRATIONS = torch.logspace(-0.5, 3, 40)


@dataclass(frozen=True, kw_only=True)
class Habits:
    """What all users have in common. `prior` [rates] of a user's rate; nightly chances that somebody present `leaves`,
    somebody away `returns` and a rate `moves`; `seen_away`, the chance a day of showing up though away; `weekday` [7],
    factors of the rate from Monday on; `orders` and `no_orders`, the beta distribution of the chance that a user who
    comes orders."""

    prior: Tensor
    leaves: float
    returns: float
    moves: float
    seen_away: float
    weekday: Tensor
    orders: float
    no_orders: float

    def shows_up(self, weekday: int) -> Tensor:
        """[rates] chance of somebody present."""
        return -torch.expm1(-RATES * self.weekday[weekday])

    def overnight(self, present: Tensor, away: Tensor) -> tuple[Tensor, Tensor]:
        """[..., rates] each: the same users a night later."""
        leave, back = present * self.leaves, away * self.returns
        return self.moved(present - leave + back), self.moved(away - back + leave)

    def yesterday(self, present: Tensor, away: Tensor) -> tuple[Tensor, Tensor]:
        """[..., rates] each: how likely what follows is before the night, given how likely it is after: the transpose
        of `overnight`."""
        present, away = self.moved(present), self.moved(away)
        gain = away - present
        return present + self.leaves * gain, away - self.returns * gain

    def moved(self, masses: Tensor) -> Tensor:
        """[..., rates]: a share moves to either neighbour; what would leave the grid stays. Its own transpose."""
        padded = torch.cat([masses[..., :1], masses, masses[..., -1:]], dim=-1)
        return masses + self.moves / 2 * (padded[..., :-2] + padded[..., 2:] - 2 * masses)


def learn_habits(came: Tensor, ordered: Tensor, first: Tensor, first_weekday: int) -> Habits:
    """From [users, days] flags of who came and who ordered; day 0 is `first_weekday` (0 is Monday). Users are followed
    from the day after their `first` [users] (negative for one before day 0): that they came then is why we know them.
    """
    days = torch.arange(came.shape[1])
    is_followed = days > first[:, None]
    habits = _first_habits(came, ordered, is_followed, (days + first_weekday) % 7)
    for _ in range(ROUNDS):
        habits = _improved(habits, came, is_followed, first_weekday)
    return habits


def follow(
    habits: Habits, came: Tensor, first: Tensor, first_weekday: int, days: Iterable[int]
) -> Iterator[tuple[Tensor, Tensor]]:
    """(present, away), each [users, rates], for each of `days` (ascending) as the evening before knows it; up to their
    first day users are where `prior` says."""
    present, away = _start(habits, len(came))
    today = 0
    for day in days:
        for past in range(today, day):
            is_followed, weekday = (first < past)[:, None], (past + first_weekday) % 7
            _, (present, away) = _lived(habits, present, away, came[:, past], is_followed, weekday)
        today = day
        yield present, away


@dataclass(frozen=True, kw_only=True)
class Outlook:
    """[users] each: chances to be present and to order within 7 and 28 days, and the expected days with an order."""

    presence: Tensor
    order_probability_7d: Tensor
    order_probability_28d: Tensor
    expected_order_days_28d: Tensor


def look_ahead(habits: Habits, present: Tensor, away: Tensor, chance: Tensor, weekday: int) -> Outlook:
    """From what `follow` knows; `chance` [users] of an order when they come (`order_chance`), `weekday` of the day."""
    presence, per_visit, expected = present.sum(dim=1), chance[:, None], torch.zeros(len(present))
    here, gone = present, away  # Without an order so far.
    without = {}
    for ahead in range(28):
        comes = habits.shows_up((weekday + ahead) % 7)
        expected += chance * (present @ comes + habits.seen_away * away.sum(dim=1))
        present, away = habits.overnight(present, away)
        here, gone = habits.overnight(here * (1 - comes * per_visit), gone * (1 - habits.seen_away * per_visit))
        without[ahead + 1] = (here + gone).sum(dim=1)
    return Outlook(
        presence=presence,
        order_probability_7d=1 - without[7],
        order_probability_28d=1 - without[28],
        expected_order_days_28d=expected,
    )


def order_chance(habits: Habits, came: Tensor, ordered: Tensor) -> Tensor:
    """[users] expected chance of an order when they come, from the days [users] on which they came and ordered."""
    return (habits.orders + ordered) / (habits.orders + habits.no_orders + came)


def _start(habits: Habits, users: int) -> tuple[Tensor, Tensor]:
    """Present, at a rate that nobody knows yet."""
    return habits.prior.expand(users, -1), torch.zeros(users, len(RATES))


def _seen(habits: Habits, present: Tensor, away: Tensor, came: Tensor, weekday: int) -> tuple[Tensor, Tensor, Tensor]:
    """Both masses times how likely the day was [users, rates], and their sum [users, 1]."""
    comes, is_there = habits.shows_up(weekday), came[:, None]
    present = present * torch.where(is_there, comes, 1 - comes)
    away = away * torch.where(is_there, habits.seen_away, 1 - habits.seen_away)
    return present, away, (present + away).sum(dim=1, keepdim=True)


def _lived(
    habits: Habits, present: Tensor, away: Tensor, came: Tensor, is_followed: Tensor, weekday: int
) -> tuple[tuple[Tensor, Tensor], tuple[Tensor, Tensor]]:
    """(present, away), each [users, rates], as the day's evening knows it, and of the next morning; `is_followed`
    [users, 1]: the others' morning is as it was."""
    here, gone, total = _seen(habits, present, away, came, weekday)
    evening = here / total, gone / total
    here, gone = habits.overnight(*evening)
    return evening, (torch.where(is_followed, here, present), torch.where(is_followed, gone, away))


def _first_habits(came: Tensor, ordered: Tensor, is_followed: Tensor, weekdays: Tensor) -> Habits:
    """Where learning starts; weekdays and orders per visit are counted and stay."""
    followed, seen = is_followed.sum(dim=0).float(), (came & is_followed).sum(dim=0).float()
    by_weekday = torch.zeros(2, 7).index_add_(1, weekdays, torch.stack([seen, followed]))
    usual = by_weekday[0].sum() / by_weekday[1].sum().clamp_min(1)
    orders, no_orders = _order_habits(came.sum(dim=1), ordered.sum(dim=1))
    return Habits(
        prior=torch.full((len(RATES),), 1 / len(RATES)),
        leaves=_LEAVES / _NIGHTS,
        returns=_RETURNS / _NIGHTS,
        moves=_MOVES / _NIGHTS,
        seen_away=_SEEN_AWAY / _NIGHTS,
        # Seven days of the usual week stand in for a weekday that was hardly seen.
        weekday=((by_weekday[0] + 7 * usual) / (by_weekday[1] + 7) / usual) if usual > 0 else torch.ones(7),
        orders=orders,
        no_orders=no_orders,
    )


def _order_habits(came: Tensor, ordered: Tensor) -> tuple[float, float]:
    """The beta distribution under which [users] counts of days are likeliest, given its mean."""
    mean = (ordered.sum() / came.sum().clamp_min(1)).clamp(1e-4, 1 - 1e-4)
    a, b = _CONCENTRATIONS[:, None] * mean, _CONCENTRATIONS[:, None] * (1 - mean)
    likelihood = _log_beta(a + ordered, b + came - ordered) - _log_beta(a, b)
    best = int(likelihood.sum(dim=1).argmax())
    return float(a[best]), float(b[best])


def _log_beta(a: Tensor, b: Tensor) -> Tensor:
    return torch.lgamma(a) + torch.lgamma(b) - torch.lgamma(a + b)


def _improved(habits: Habits, came: Tensor, is_followed: Tensor, first_weekday: int) -> Habits:
    """One round of expectation maximisation."""
    days, users = came.shape[1], len(came)
    present, away = _start(habits, users)
    seen = []
    for day in range(days):
        on, weekday = is_followed[:, day : day + 1], (day + first_weekday) % 7
        evening, (present, away) = _lived(habits, present, away, came[:, day], on, weekday)
        seen.append(evening)

    counts = torch.zeros(8)  # nights present, leaves, nights away, returns, nights, moves, days away, seen away
    likely_present, likely_away = torch.ones(users, len(RATES)), torch.ones(users, len(RATES))
    for day in reversed(range(days)):
        on, weekday = is_followed[:, day : day + 1], (day + first_weekday) % 7
        counts += _night_counts(habits, *seen[day], likely_present, likely_away, came[:, day], on)
        before = habits.yesterday(likely_present, likely_away)
        here, gone, _ = _seen(habits, *before, came[:, day], weekday)
        scale = (here + gone).amax(dim=1, keepdim=True).clamp_min(1e-30)
        likely_present = torch.where(on, here / scale, likely_present)
        likely_away = torch.where(on, gone / scale, likely_away)

    rates = habits.prior * likely_present
    rates = (rates / rates.sum(dim=1, keepdim=True)).sum(dim=0)
    nights_present, leaves, nights_away, returns, nights, moves, days_away, seen_away = counts.tolist()
    return replace(
        habits,
        prior=(rates + 1 / len(RATES)) / (rates.sum() + 1),
        leaves=(leaves + _LEAVES) / (nights_present + _NIGHTS),
        returns=(returns + _RETURNS) / (nights_away + _NIGHTS),
        moves=(moves + _MOVES) / (nights + _NIGHTS),
        seen_away=(seen_away + _SEEN_AWAY) / (days_away + _NIGHTS),
    )


def _night_counts(
    habits: Habits,
    present: Tensor,
    away: Tensor,
    likely_present: Tensor,
    likely_away: Tensor,
    came: Tensor,
    is_followed: Tensor,
) -> Tensor:
    """[8] expected counts of one day and the night after it: what the days before it say (`present`, `away`) times what
    the days after it say."""
    moved_present, moved_away = habits.moved(likely_present), habits.moved(likely_away)
    stay, leave = present * (1 - habits.leaves) * moved_present, present * habits.leaves * moved_away
    back, remain = away * habits.returns * moved_present, away * (1 - habits.returns) * moved_away
    total = (stay + leave + back + remain).sum(dim=1, keepdim=True)
    weight = is_followed / total.clamp_min(1e-30)  # [users, 1]
    kept = (present * (1 - habits.leaves) + away * habits.returns) * likely_present
    kept = kept + (present * habits.leaves + away * (1 - habits.returns)) * likely_away
    edges = torch.ones(len(RATES))
    edges[0] = edges[-1] = 0.5
    kept = kept * (1 - habits.moves * edges)
    stay, leave, back, remain, kept = ((part * weight).sum(dim=1) for part in (stay, leave, back, remain, kept))
    nights, gone = is_followed[:, 0].float(), back + remain
    columns = [stay + leave, leave, gone, back, nights, nights - kept, gone, gone * came]
    return torch.stack([column.sum() for column in columns])
