"""What is asked: prices that a person would set, promotions that the shop would announce."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import date
from decimal import Decimal


class ScenarioError(ValueError):
    """A question that has no answer; the message says what is wrong with it, and the remedy."""


@dataclass(frozen=True, kw_only=True)
class Promotion:
    """A discount on products, or on all of some categories, from `first_day` to `last_day`, both included. Without a
    channel it runs where the shop runs most of its discounts."""

    discount_percent: Decimal
    first_day: date
    last_day: date
    product_ids: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    channel: str | None = None

    def __str__(self) -> str:
        parts = [
            f"products={','.join(self.product_ids)}" if self.product_ids else "",
            *(f"category='{category}'" for category in self.categories),
            f"discount={self.discount_percent:f}%",
            f"from={self.first_day} to={self.last_day}",
            f"channel='{self.channel}'" if self.channel else "",
        ]
        return " ".join(part for part in parts if part)


@dataclass(frozen=True, kw_only=True)
class Question:
    """`prices`: (product id, price of the coming week), by product; with `promotions` they are asked together."""

    prices: tuple[tuple[str, Decimal], ...] = ()
    promotions: tuple[Promotion, ...] = ()

    def __str__(self) -> str:
        prices = [f'--price "{product_id}={price:f}"' for product_id, price in self.prices]
        return " ".join([*prices, *(f'--promotion "{promotion}"' for promotion in self.promotions)]) or "nothing"

    def scenario_id(self, run_id: str) -> str:
        """The id of this question about that night: its day, and a hash of both."""
        digest = hashlib.sha256(f"{run_id} {self}".encode()).hexdigest()
        return f"{run_id.partition('-')[0]}-{digest[:10]}"
