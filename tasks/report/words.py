"""Numbers and days as a manager reads them, for the page's templates."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

NOTHING = "–"
_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
)  # fmt: skip
# Irregular plurals that the page needs.
_PLURALS = {"is": "are", "was": "were", "has": "have", "its": "their", "it": "they"}


def count(value: float | None) -> str:
    """12,345; small numbers that are not whole keep one decimal."""
    if value is None:
        return NOTHING
    return f"{value:,.0f}" if value == round(value) or abs(value) >= 20 else f"{value:,.1f}"


def money(value: float | None) -> str:
    """12,345 or 12.34, without the currency."""
    if value is None:
        return NOTHING
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:,.2f}"


def price(value: float | None) -> str:
    """A shelf price: always two decimals."""
    return NOTHING if value is None else f"{value:,.2f}"


def decimal(value: float | None) -> str:
    """A measure with up to four significant digits."""
    return NOTHING if value is None else f"{value:,.4g}"


def percent(value: float | None) -> str:
    """A share as a percentage: 12%, 3.4%."""
    if value is None:
        return NOTHING
    return f"{100 * value:.0f}%" if abs(value) >= 0.1 or value == 0 else f"{100 * value:.1f}%"


def change(value: float | None) -> str:
    """A change as a percentage with its sign: +12%, -3.4%."""
    return NOTHING if value is None else ("+" if value > 0 else "") + percent(value)


def day(value: date | None) -> str:
    """Saturday 4 July 2026."""
    if value is None:
        return NOTHING
    return f"{_WEEKDAYS[value.weekday()]} {value.day} {_MONTHS[value.month - 1]} {value.year}"


def short_day(value: date | None) -> str:
    """Sat 4 Jul."""
    return NOTHING if value is None else f"{_WEEKDAYS[value.weekday()][:3]} {value.day} {_MONTHS[value.month - 1][:3]}"


def plain(value: object) -> str:
    """A name as words: underscores are spaces."""
    return NOTHING if value is None else str(value).replace("_", " ")


def times(number: float | None, noun: str) -> str:
    """'1 order', '2,345 orders', 'no orders'."""
    if not number:
        return f"no {_plural(noun)}"
    return f"{count(number)} {noun if number == 1 else _plural(noun)}"


def agree(number: float | None, word: str) -> str:
    """The word as it goes with that many: 'is' or 'are', 'price' or 'prices'."""
    return word if number == 1 else _PLURALS.get(word, _plural(word))


def _plural(noun: str) -> str:
    if noun.endswith("y") and noun[-2] not in "aeiou":
        return f"{noun[:-1]}ies"
    return f"{noun}es" if noun.endswith(("s", "ch", "sh", "x")) else f"{noun}s"


FILTERS: dict[str, Callable[..., str]] = {
    "count": count,
    "money": money,
    "price": price,
    "decimal": decimal,
    "percent": percent,
    "change": change,
    "day": day,
    "short_day": short_day,
    "plain": plain,
    "times": times,
    "agree": agree,
}
