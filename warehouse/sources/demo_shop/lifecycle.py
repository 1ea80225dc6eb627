"""How users come and go: arrivals, lapses, returns, withdrawn consent and erasure."""

from __future__ import annotations

import numpy as np

from warehouse.sources.demo_shop.arrays import Floats, Ints
from warehouse.sources.demo_shop.people import STAPLES
from warehouse.sources.demo_shop.shop import Shop
from warehouse.sources.demo_shop.shopping import visit_chance
from warehouse.sources.demo_shop.state import State

RETURN_HAZARD = 0.006
_LAPSE_HAZARD, _WITHDRAWS, _IS_ERASED = 0.0015, 0.0003, 0.00003
_FADES = np.float32(0.95)


def lapse_hazard(annoyance: Floats) -> Floats:
    """Chance a day that an active user stops coming: more after late parcels and long waits."""
    return np.float32(_LAPSE_HAZARD) * np.exp(np.minimum(annoyance, 4))


def watch(shop: Shop, state: State, visitors: Ints) -> None:
    """Let today's visits, and the visits that did not come, say who is still there; then the night passes (the forward
    step of a hidden Markov model: Rabiner 1989). Call it with the state in which the visits were made."""
    came = np.isin(np.arange(shop.people.size), visitors)
    active, lapsed = (
        visit_chance(shop.people, np.full(shop.people.size, is_active), state.is_erased, state.has_coupon, state.day)
        for is_active in (True, False)
    )
    there = state.presence * np.where(came, active, 1 - active)
    away = (1 - state.presence) * np.where(came, lapsed, 1 - lapsed)
    there = there / np.maximum(there + away, 1e-12)
    state.presence = there * (1 - lapse_hazard(state.annoyance)) + (1 - there) * RETURN_HAZARD


def welcome(shop: Shop, state: State) -> Ints:
    """Make room in the state for users whom the shop knows since today; returns their numbers."""
    first, end = len(state.is_active), shop.people.size
    user = np.arange(first, end)
    new = slice(first, end)
    age = shop.luck(-1).uniform("staple age", user[:, None], np.arange(STAPLES))
    # As if some of a staple's days had passed already.
    met = state.day - np.rint(1.5 * age * shop.people.staple_days[new]).astype(np.int32)
    state.welcome(shop.people, shop.people.consents_at_first[new], met)
    return user


def move_on(shop: Shop, state: State) -> tuple[Ints, Ints]:
    """Lapses, returns, consent and erasure overnight; returns the users whose row changes, and of these the erased."""
    luck, user = shop.luck(state.day), np.arange(shop.people.size)
    draw = luck.uniform("comes or goes", user)
    lapses = state.is_active & (draw < lapse_hazard(state.annoyance))
    returns = ~state.is_active & (draw < RETURN_HAZARD)
    state.is_active = (state.is_active & ~lapses) | returns
    state.annoyance *= _FADES
    withdraws = state.has_consent & ~state.is_erased & (luck.uniform("withdraws consent", user) < _WITHDRAWS)
    is_erased = ~state.is_erased & (luck.uniform("asks for erasure", user) < _IS_ERASED)
    state.has_consent &= ~(withdraws | is_erased)
    state.is_erased |= is_erased
    return np.flatnonzero(withdraws | is_erased), np.flatnonzero(is_erased)
