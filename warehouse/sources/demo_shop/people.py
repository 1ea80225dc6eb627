"""The users as they really are: tastes, rhythm, sensitivities. What they have done so far is in `state`.

Shapes: U users in the order of their arrival, K taste factors, S staples each.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from warehouse.sources.demo_shop.arrays import Flags, Floats, Ints
from warehouse.sources.demo_shop.catalogue import TASTE_FACTORS, Catalogue
from warehouse.sources.demo_shop.luck import Luck
from warehouse.sources.demo_shop.sizes import Size

STAPLES = 12
SEGMENTS = 6
# Share of the users who are there when the shop opens; the others arrive evenly over its history, and beyond.
FIRST_SHARE = 0.75
ACQUISITION_CHANNELS = ("search", "social", "referral", "advertising")
AGE_BANDS = ("18-24", "25-34", "35-44", "45-54", "55-64", "65+")
INCOME_BANDS = ("0-24K", "25-49K", "50-74K", "75-99K", "100K+")
TICKET_CHANNELS = ("email", "chat", "phone")
_CHUNK = 100_000


@dataclass(frozen=True, kw_only=True)
class People:
    """(U,) each, but `taste` (U, K), `staples` and `staple_days` (U, S).

    `visit_rate`: visits a day; `mission_rate`: share of visits that are meant to buy; `price_sensitivity` multiplies
    the products'; `deal_love` 0 to 1: what an offer does; `power`: taste for dear products; `contact_rate` and
    `return_rate` multiply the hazards; `substitution`: chance to take a substitute for what is not there.
    """

    taste: Floats
    visit_rate: Floats
    mission_rate: Floats
    price_sensitivity: Floats
    deal_love: Floats
    power: Floats
    contact_rate: Floats
    return_rate: Floats
    substitution: Floats
    site: Ints
    ticket_channel: Ints
    is_on_app: Flags
    consents_at_first: Flags
    household_size: Ints
    age: Ints
    staples: Ints
    staple_days: Floats

    @property
    def size(self) -> int:
        """How many users."""
        return len(self.visit_rate)

    def __add__(self, later: People) -> People:
        pairs = {each.name: (getattr(self, each.name), getattr(later, each.name)) for each in fields(self)}
        return People(**{name: np.concatenate(pair) for name, pair in pairs.items()})


def users_by(size: Size, day: int) -> int:
    """How many users the shop has met by the end of that day; those of day -1 are there when it opens."""
    first = int(size.users * FIRST_SHARE)
    return first + (size.users - first) * (day + 1) // size.days


def make_people(size: Size, seed: int, catalogue: Catalogue, first: int, end: int) -> People:
    """Users number `first` to `end` - 1; who they are does not depend on how many are made at once."""
    starts = range(first, end, _CHUNK)
    parts = [_some(size, seed, catalogue, np.arange(start, min(start + _CHUNK, end))) for start in starts]
    return People(
        **{each.name: np.concatenate([getattr(part, each.name) for part in parts]) for each in fields(People)}
    )


def _some(size: Size, seed: int, catalogue: Catalogue, user: Ints) -> People:
    luck = Luck(seed, -1)
    segment = (luck.uniform("segment", user) ** 1.5 * SEGMENTS).astype(int)
    factor = np.arange(TASTE_FACTORS)
    taste = luck.normal("segment taste", segment[:, None], factor) + 0.7 * luck.normal(
        "own taste", user[:, None], factor
    )
    power, eager = luck.normal("power", user), luck.normal("visits", user)
    thrift = 0.8 * luck.normal("thrift", user) - 0.6 * power
    staples = _staples(luck, catalogue, user, taste)
    return People(
        taste=taste.astype(np.float32),
        visit_rate=np.minimum(0.22 * np.exp(1.4 * eager), 0.95),
        mission_rate=1 / (1 + np.exp(1.6 - 1.1 * luck.normal("mission", user))),
        price_sensitivity=np.exp(0.25 * thrift),
        deal_love=1 / (1 + np.exp(-thrift)),
        power=power,
        contact_rate=np.exp(0.7 * luck.normal("contact", user) - 0.25),
        return_rate=np.exp(0.5 * luck.normal("return", user) - 0.12),
        substitution=0.2 + 0.6 * luck.uniform("substitution", user),
        site=(luck.uniform("site", user) ** 1.3 * size.sites).astype(np.int32),
        ticket_channel=np.searchsorted([0.45, 0.75], luck.uniform("ticket channel", user)).astype(np.int32),
        is_on_app=luck.uniform("app", user) < 0.45,
        consents_at_first=luck.uniform("consent", user) < 0.72,
        household_size=1 + np.searchsorted([0.35, 0.65, 0.82, 0.95], luck.uniform("household", user)).astype(np.int32),
        age=(luck.uniform("age", user) * len(AGE_BANDS)).astype(np.int32),
        staples=staples,
        staple_days=(18 * np.exp(0.55 * luck.normal("staple days", user[:, None], np.arange(STAPLES)))),
    )


def _staples(luck: Luck, catalogue: Catalogue, user: Ints, taste: Floats) -> Ints:
    """(U, S): of two products drawn by appeal and how often their kind is bought again, the one more to the taste."""
    weight = catalogue.staple_share * np.exp(0.6 * catalogue.appeal) * catalogue.is_sold(-1)
    reach = np.cumsum(weight, dtype=np.float64)
    draw = luck.uniform("staple", user[:, None, None], np.arange(STAPLES)[:, None], np.arange(2))
    offered = np.searchsorted(reach, draw * reach[-1]).clip(max=catalogue.size - 1)
    liking = np.einsum("uk,uspk->usp", taste, catalogue.taste[offered])
    best = liking.argmax(axis=2)[:, :, None]
    return np.take_along_axis(offered, best, axis=2)[:, :, 0].astype(np.int32)
