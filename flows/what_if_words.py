"""`--price` and `--promotion` as they are written on the command line."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from datetime import date
from decimal import Decimal, InvalidOperation
from itertools import pairwise

from tasks.scenarios.question import Promotion, Question, ScenarioError

PRICE_EXAMPLE = "P1000131=4.99"
PROMOTION_EXAMPLE = "products=P1,P2 discount=20% from=2026-07-06 to=2026-07-12"
_KEYS = ("products", "category", "discount", "from", "to", "channel")


def read_question(prices: Sequence[str], promotions: Sequence[str]) -> Question:
    """The question in words as data, in an order of its own: asked twice, it is the same. ScenarioError names what
    cannot be read."""
    named = sorted(_read_price(text) for text in prices)
    for (earlier, _), (later, _) in pairwise(named):
        if earlier == later:
            raise ScenarioError(f"--price names {later} twice. Remedy: name one price for it.")
    return Question(prices=tuple(named), promotions=tuple(sorted(map(_read_promotion, promotions), key=str)))


def _read_price(text: str) -> tuple[str, Decimal]:
    product_id, equals, price = text.rpartition("=")
    if not equals or not product_id:
        raise ScenarioError(f"--price {text!r} names no product. Remedy: write it as {PRICE_EXAMPLE}.")
    value = _number(price, f"--price {text!r}", PRICE_EXAMPLE)
    if value <= 0 or value != round(value, 4):
        raise ScenarioError(
            f"--price {text!r}: a price is above 0 and has four decimals at most. Remedy: write it as {PRICE_EXAMPLE}."
        )
    return product_id.strip(), value


def _read_promotion(text: str) -> Promotion:
    words = _words(text)
    products = tuple(sorted({name.strip() for name in words["products"][0].split(",") if name.strip()}))
    categories = tuple(sorted(set(words["category"])))
    if not products and not categories:
        raise _unreadable(text, "names neither products nor a category")
    percent = _number(words["discount"][0].removesuffix("%"), f"--promotion {text!r}", PROMOTION_EXAMPLE)
    if not 0 < percent < 100:
        raise _unreadable(text, f"has a discount of {percent:f}%; it has to lie between 0 and 100%")
    first_day, last_day = _day(text, words["from"][0]), _day(text, words["to"][0])
    if last_day < first_day:
        raise _unreadable(text, f"ends on {last_day}, before it starts on {first_day}")
    return Promotion(
        discount_percent=percent,
        first_day=first_day,
        last_day=last_day,
        product_ids=products,
        categories=categories,
        channel=words["channel"][0] or None,
    )


def _words(text: str) -> dict[str, list[str]]:
    """{key: its values}, with an empty value for a key that may be left out."""
    try:
        parts = [part.partition("=") for part in shlex.split(text)]
    except ValueError as error:
        raise _unreadable(text, f"cannot be read ({error})") from None
    found: dict[str, list[str]] = {}
    for key, equals, value in parts:
        if not equals or key not in _KEYS:
            raise _unreadable(text, f"says {key!r}, which is none of {', '.join(f'{name}=' for name in _KEYS)}")
        if key in found and key != "category":
            raise _unreadable(text, f"says {key}= twice")
        found.setdefault(key, []).append(value)
    missing = [key for key in ("discount", "from", "to") if key not in found]
    if missing:
        raise _unreadable(text, f"lacks {missing[0]}=")
    return {"products": [""], "category": [], "channel": [""]} | found


def _number(text: str, where: str, example: str) -> Decimal:
    try:
        value = Decimal(text.strip())
    except InvalidOperation:
        value = Decimal("nan")
    if not value.is_finite():
        raise ScenarioError(f"{where}: {text!r} is no number. Remedy: write it as {example}.")
    return value


def _day(text: str, day: str) -> date:
    try:
        return date.fromisoformat(day)
    except ValueError:
        raise _unreadable(text, f"says {day!r}, which is no day") from None


def _unreadable(text: str, problem: str) -> ScenarioError:
    return ScenarioError(f"--promotion {text!r} {problem}. Remedy: write it as {PROMOTION_EXAMPLE!r}.")
