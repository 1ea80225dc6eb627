"""What changes from day to day, as arrays: all that has to be kept for a shop to live on."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np

from warehouse.sources.demo_shop.arrays import Flags, Floats, Ints, Rows
from warehouse.sources.demo_shop.catalogue import Catalogue
from warehouse.sources.demo_shop.people import STAPLES, TICKET_CHANNELS, People

FILE = "world.npz"
# A page of a list. Everyone's list has several.
LIST_POSITIONS, SHARED_POSITIONS = 8, 40
# A user without a list of their own sees everyone's.
NO_LIST = -1

# Money in cents, days from the first day, `second` within the day. What lies in the future is fate that the shop does
# not know yet: `ship_day`, `deliver_day`, `contact_day` (-1: no contact once delivered).
ORDER = np.dtype(
    [
        ("number", "i8"), ("user", "i4"), ("site", "i2"), ("day", "i4"), ("second", "i4"), ("subtotal", "i4"),
        ("discount", "i4"), ("coupon_discount", "i4"), ("shipping", "i4"), ("campaign", "i2"), ("quality", "f4"),
        ("promised_day", "i4"), ("ship_chance", "f4"), ("arrive_chance", "f4"), ("ship_day", "i4"),
        ("deliver_day", "i4"), ("contact_day", "i4"), ("contact_reason", "i1"), ("first_product", "i4"),
        ("is_contacted", "?"), ("is_messaged", "?"), ("is_returned", "?"),
    ]
)  # fmt: skip
# One row per product of an order, in the order of the orders.
LINE = np.dtype(
    [
        ("number", "i8"), ("order", "i8"), ("user", "i4"), ("site", "i2"), ("product", "i4"), ("units", "i4"),
        ("list_price", "i4"), ("price", "i4"), ("total", "i4"), ("promotion", "i4"), ("day", "i4"),
        ("ship_day", "i4"), ("deliver_day", "i4"), ("return_day", "i4"), ("review_day", "i4"), ("rating", "i1"),
    ]
)  # fmt: skip
PURCHASE = np.dtype(
    [
        ("number", "i8"), ("site", "i2"), ("product", "i4"), ("supplier", "i4"), ("day", "i4"), ("units", "i4"),
        ("expected_day", "i4"), ("receive_day", "i4"), ("unit_cost", "i4"),
    ]
)  # fmt: skip
# Seconds count from the first day's midnight; handle time in minutes. `order` and `product` are -1 without.
TICKET = np.dtype(
    [
        ("number", "i8"), ("user", "i4"), ("order", "i8"), ("product", "i4"), ("channel", "i1"), ("reason", "i1"),
        ("created", "i8"), ("replied", "i8"), ("solved", "i8"), ("minutes", "f4"), ("reopened", "i2"),
        ("satisfaction", "i1"), ("waiting", "f4"),
    ]
)  # fmt: skip


@dataclass
class State:
    """A shop's memory. U users, S staples, P products, N sites.

    `presence` (U,): the chance that a user is active, for whoever sees the visits and knows every law: all that can be
    known of `is_active`, which nobody sees.
    `met_day` (U, S): when the need of a staple was last met. `annoyance` (U,): grows with late parcels and long waits,
    and fades. `lists` (U, 8): own lists, or NO_LIST; `shared_list` (40,): everyone's. `sales_rate` (N, P) and
    `usual_orders` (N,): trailing means of units sold and of orders a day. `price_ratio` (P,): shelf price over the
    habit's. `elasticity_sum` and `elasticity_weight` (P,): the analytic elasticity of every product that could have
    been bought, weighted by the chance to be. `backlog` (channels,): minutes of work that agents left yesterday.
    """

    day: int
    next_order: int
    next_line: int
    next_ticket: int
    next_purchase: int
    is_active: Flags
    presence: Floats
    is_erased: Flags
    has_consent: Flags
    has_coupon: Flags
    was_offered: Flags
    annoyance: Floats
    met_day: Ints
    lists: Ints
    shared_list: Ints
    on_hand: Ints
    sales_rate: Floats
    price_ratio: Floats
    shelf_price: Ints
    list_price: Ints
    price_since: Ints
    elasticity_sum: Floats
    elasticity_weight: Floats
    usual_orders: Floats
    backlog: Floats
    orders: Rows
    lines: Rows
    purchases: Rows
    tickets: Rows

    def welcome(self, people: People, consents: Flags, met_day: Ints) -> None:
        """Make room for users who arrived: active, unoffended, with the given consent and staples."""
        new = people.size - len(self.is_active)
        for name, value in (("is_active", True), ("is_erased", False), ("has_coupon", False), ("was_offered", False)):
            setattr(self, name, np.concatenate([getattr(self, name), np.full(new, value)]))
        self.presence = np.concatenate([self.presence, np.ones(new)])
        self.has_consent = np.concatenate([self.has_consent, consents])
        self.annoyance = np.concatenate([self.annoyance, np.zeros(new, np.float32)])
        self.met_day = np.concatenate([self.met_day, met_day])
        self.lists = np.concatenate([self.lists, np.full((new, LIST_POSITIONS), NO_LIST, np.int32)])

    def save(self, folder: Path, about: dict[str, str | int]) -> None:
        """Write `about` and the state as one file, all or nothing."""
        folder.mkdir(parents=True, exist_ok=True)
        arrays = {each.name: np.asarray(getattr(self, each.name)) for each in fields(self)}
        partial = folder / f"{FILE}.partial"
        with partial.open("wb") as file:
            np.savez(file, allow_pickle=False, about=np.array(json.dumps(about)), **arrays)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(folder / FILE)

    @classmethod
    def load(cls, folder: Path) -> tuple[State, dict[str, str | int]]:
        """The state and what was said about it; FileNotFoundError when there is none."""
        with np.load(folder / FILE, allow_pickle=False) as saved:
            arrays = {each.name: saved[each.name] for each in fields(cls)}
            values: dict[str, Any] = {name: int(value) if value.ndim == 0 else value for name, value in arrays.items()}
            return cls(**values), json.loads(str(saved["about"]))


def empty_state(catalogue: Catalogue, sites: int) -> State:
    """A shop with products, but without users, stock and orders."""
    nobody, products = np.zeros(0, bool), catalogue.size
    return State(
        day=0,
        next_order=0,
        next_line=0,
        next_ticket=0,
        next_purchase=0,
        is_active=nobody,
        presence=np.zeros(0),
        is_erased=nobody,
        has_consent=nobody,
        has_coupon=nobody,
        was_offered=nobody,
        annoyance=np.zeros(0, np.float32),
        met_day=np.zeros((0, STAPLES), np.int32),
        lists=np.zeros((0, LIST_POSITIONS), np.int32),
        shared_list=np.full(SHARED_POSITIONS, NO_LIST, np.int32),
        on_hand=np.zeros((sites, products), np.int32),
        sales_rate=np.zeros((sites, products), np.float32),
        price_ratio=np.ones(products, np.float32),
        shelf_price=catalogue.regular_price.copy(),
        list_price=catalogue.regular_price.copy(),
        price_since=np.full(products, -1, np.int32),
        elasticity_sum=np.zeros(products, np.float32),
        elasticity_weight=np.zeros(products, np.float32),
        usual_orders=np.zeros(sites, np.float32),
        backlog=np.zeros(len(TICKET_CHANNELS), np.float32),
        orders=np.zeros(0, ORDER),
        lines=np.zeros(0, LINE),
        purchases=np.zeros(0, PURCHASE),
        tickets=np.zeros(0, TICKET),
    )
