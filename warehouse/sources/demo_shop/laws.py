"""The laws of what happens after an order: parcels, contacts, returns, ratings. The world draws from them, the truth
integrates over them. Arrays of n orders or lines; days late are 0 while there is time."""

from __future__ import annotations

import numpy as np

from warehouse.sources.demo_shop.arrays import Flags, Floats, Ints

CONTACT_REASONS = ("where_is_my_order", "damaged", "wrong_item", "refund", "product_question")
WHERE, DAMAGED, WRONG, REFUND, QUESTION = range(5)

PROMISED_DAYS = 3
# Chance, on each day after the delivery, that a customer who will get in touch does so.
CONTACT_SPEED, RETURN_SPEED = 0.4, 0.2
LONGEST_CONTACT_DAYS, LONGEST_RETURN_DAYS, FIRST_RETURN_DAY = 14, 24, 2
_MESSAGE_HELPS = 0.35


def ship_chance(load: Floats, is_scarce: Flags) -> Floats:
    """Chance each morning that an order leaves: lower when the site has more orders than usual (`load` 1), and when
    the last unit of something in it was just taken."""
    return np.clip(0.94 - 0.6 * np.maximum(load - 1, 0), 0.25, 0.94) * np.where(is_scarce, 0.55, 1)


def arrive_chance(luck: Floats) -> Floats:
    """Chance each day that a parcel arrives, by the week's luck with the carrier: one week in seven is bad."""
    return np.where(luck < 0.15, 0.45, 0.82)


def hazard_before_delivery(days_late: Ints, contact_rate: Floats, is_messaged: Flags) -> tuple[Floats, Floats]:
    """Chances that a customer who still waits gets in touch today: where is my order, and a question."""
    late = np.minimum(0.08 + 0.05 * days_late, 0.35)
    where = np.where(days_late > 0, late, 0.003) * np.where(is_messaged, _MESSAGE_HELPS, 1)
    return np.minimum(contact_rate * where, 0.9), np.minimum(contact_rate * 0.004, 0.2)


def contact_after_delivery(quality: Floats, days_late: Ints, contact_rate: Floats) -> Floats:
    """(n, 3) chances of damaged, wrong item, refund once an order is delivered; `quality` is its worst product's."""
    bad = np.exp(-0.7 * quality)
    rates = np.stack([0.007 * bad, 0.006 * np.ones_like(bad), 0.008 * bad * (1 + 0.5 * days_late)], axis=-1)
    rates = rates * contact_rate[:, None]
    total = rates.sum(axis=1, keepdims=True)
    return rates / total * (1 - np.exp(-total))


def return_chance(base: Floats, quality: Floats, return_rate: Floats, days_late: Ints) -> Floats:
    """Chance that a line comes back."""
    return 1 - np.exp(-base * return_rate * np.exp(-0.7 * quality) * (1 + 0.25 * np.minimum(days_late, 6)))


def mean_rating(quality: Floats, days_late: Ints) -> Floats:
    """What a product would be rated, before mood and rounding to 1 to 5."""
    return 3.5 + 0.9 * quality - 0.3 * np.minimum(days_late, 4)


def still_to_come(chance: Floats, speed: float, days_so_far: Ints, longest: int, horizon: int) -> Floats:
    """P(it happens within `horizon` more days, today the first, | it has not on the `days_so_far` days before).

    It happens at all with `chance`; then after a geometric number of days from 0, at most `longest`.
    """
    by_now, by_then = (_within(speed, days, longest) for days in (days_so_far, days_so_far + horizon))
    return chance * (by_then - by_now) / (1 - chance * by_now)


def _within(speed: float, days: Ints, longest: int) -> Floats:
    """P(a geometric wait is over within the first `days` days); whatever is longer than `longest` happens then."""
    return np.where(days > longest, 1.0, 1 - (1 - speed) ** np.maximum(days, 0))
