"""The size of a shop that somebody plans for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

# Order lines for each behaviour event, and orders and other rows for each order line, in the nights that were measured.
LINES_PER_EVENT, ROWS_PER_LINE = 0.104, 1.7
# Beyond these a number is a slip of the keyboard.
MOST = {"users": 10**10, "products": 10**9, "events": 10**13, "order_lines": 10**12, "days": 3660, "sites": 10**5}
MOST_EVENTS_PER_USER_AND_DAY = 10_000


class SenselessShop(ValueError):  # noqa: N818 - named after what is the case
    """Sizes that no shop has; the message says which, and the remedy."""


@dataclass(frozen=True, kw_only=True)
class Shop:
    """`events` of behaviour and `order_lines` are those of the whole history of so many `days`."""

    users: int
    products: int
    events: int
    order_lines: int
    days: int = 180
    sites: int = 2

    @classmethod
    def of(cls, *, order_lines: int | None, **sizes: int) -> Self:
        """Checked; order lines that nobody named follow from the events. Raises SenselessShop."""
        lines = round(sizes["events"] * LINES_PER_EVENT) if order_lines is None else order_lines
        shop = cls(order_lines=lines, **sizes)
        shop.check()
        return shop

    def check(self) -> None:
        """Raises SenselessShop when no shop can be of these sizes."""
        for name, most in MOST.items():
            value, least = getattr(self, name), 0 if name in ("events", "order_lines") else 1
            if not least <= value <= most:
                raise SenselessShop(
                    f"{name} = {value:,} is no size of a shop. Remedy: a number from {least} to {most:,}."
                )
        if self.order_lines == 0:
            raise SenselessShop("a shop without orders has nothing to learn from. Remedy: --events or --order-lines.")
        if max(self.events, self.order_lines) > MOST_EVENTS_PER_USER_AND_DAY * self.users * self.days:
            raise SenselessShop(
                f"{max(self.events, self.order_lines):,} events or order lines of {self.users:,} users in "
                f"{self.days} days are more than {MOST_EVENTS_PER_USER_AND_DAY:,} a day for each. "
                "Remedy: more --users or --days, or fewer --events."
            )

    @property
    def rows(self) -> float:
        """Rows of all feeds, about."""
        return self.events + ROWS_PER_LINE * self.order_lines + self.products * self.sites * self.days

    def times(self, factor: float) -> Shop:
        """The same shop, larger or smaller."""
        return Shop(
            users=max(round(self.users * factor), 1),
            products=max(round(self.products * factor), 1),
            events=round(self.events * factor),
            order_lines=max(round(self.order_lines * factor), 1),
            days=self.days,
            sites=self.sites,
        )
