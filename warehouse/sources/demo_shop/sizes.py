"""How big a demo shop is, by name."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from difflib import get_close_matches

# A Monday. Half a year later it is still the past for whoever installs this, so no night looks into the future.
FIRST_DAY = date(2026, 1, 5)


@dataclass(frozen=True, kw_only=True)
class Size:
    """A shop's size. `users` and `products` are those that the shop knows when its history ends; `days` is the length
    of the history. Orders, events and stock follow from them."""

    name: str
    users: int
    products: int
    sites: int
    days: int
    brands: int
    suppliers: int

    @property
    def first_day(self) -> date:
        """The first day of the history."""
        return FIRST_DAY

    @property
    def as_of_date(self) -> date:
        """The night after the last day of the history."""
        return self.first_day + timedelta(days=self.days)


SIZES = {
    size.name: size
    for size in (
        Size(name="tiny", users=300, products=80, sites=2, days=150, brands=10, suppliers=6),
        Size(name="small", users=5_000, products=1_000, sites=2, days=180, brands=60, suppliers=25),
        Size(name="medium", users=50_000, products=5_000, sites=4, days=180, brands=200, suppliers=80),
        Size(name="large", users=1_000_000, products=100_000, sites=12, days=180, brands=2_000, suppliers=600),
    )
}


def size_named(name: str) -> Size:
    """The size of that name; LookupError names the nearest and all that there are."""
    if name in SIZES:
        return SIZES[name]
    near = get_close_matches(name, SIZES, n=1)
    hint = f"did you mean {near[0]!r}?" if near else f"choose one of {', '.join(SIZES)}."
    raise LookupError(f"There is no demo shop of size {name!r}: {hint}")
