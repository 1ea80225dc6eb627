"""Credits as sentences that a shop manager reads."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Literal

# Sizes in words: from this credit on it moves strongly, below that a little.
STRONG = {"odds": 1.0, "elasticity": 0.3}
WEAK = {"odds": 0.3, "elasticity": 0.1}
# From here on a percentage is easier to read as a factor.
MOST_PERCENT = 100


@dataclass(frozen=True)
class Measure:
    """What is explained, in words, and the scale of its credits: log odds, log of an amount, or an elasticity, which
    is negative and nearer to 0 where buyers mind the price less."""

    words: str
    scale: Literal["odds", "amount", "elasticity"]


def sentence(words: str, value: float | str | None, credit: float, rank: int, measure: Measure, currency: str) -> str:
    """What moves the measure, which way and how far, such as 'The last order 41 days ago lowers the chance of an order
    strongly, which counts most.'"""
    said = quoted(words, value, currency)
    most = ", which counts most" if rank == 1 else ""
    return f"{said[0].upper()}{said[1:]} {effect(credit, measure)}{most}."


def quoted(words: str, value: float | str | None, currency: str) -> str:
    """The words with the value in their place; None where it is not known."""
    if value is None:
        unknown = words.format(value="(unknown)", percent="(unknown)", money="(unknown)")
        return unknown if "{" in words else words
    if isinstance(value, str):
        return words.format(value=value)
    said = words.format(value=number(value), percent=f"{100 * value:.0f}%", money=f"{value:,.2f} {currency}")
    return re.sub(r"(?<![\d.,])1 (day|week|unit|item|line|hour|time)s\b", r"1 \1", said)


def effect(credit: float, measure: Measure) -> str:
    """Direction and size, such as 'raises the expected sales by 28%'."""
    if measure.scale == "elasticity":
        direction = f"makes buyers mind {measure.words} {'less' if credit > 0 else 'more'}"
    else:
        direction = f"{'raises' if credit > 0 else 'lowers'} {measure.words}"
    return f"{direction}{_size(credit, measure)}"


def number(value: float) -> str:
    """At most three digits of interest: 41, 8.2, 0.05, 1,204."""
    digits = 0 if abs(value) >= 10 or value == round(value) else 1 if abs(value) >= 1 else 2
    return f"{value:,.{digits}f}"


def _size(credit: float, measure: Measure) -> str:
    if measure.scale == "amount":
        percent = 100 * math.expm1(credit)
        return f" by {abs(percent):.0f}%" if percent < MOST_PERCENT else f" to {math.exp(credit):.1f} times"
    size = abs(credit)
    return " strongly" if size >= STRONG[measure.scale] else " a little" if size < WEAK[measure.scale] else ""
