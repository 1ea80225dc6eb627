"""A chart as one SVG file that needs nothing else to be seen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

import numpy as np

_WIDTH, _HEIGHT = 860, 420
_LEFT, _RIGHT, _TOP, _BOTTOM = 84, 96, 56, 44
# Told apart by colour-blind readers too (Okabe and Ito 2008).
_COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7")


def line_chart(title: str, unit: str, days: Sequence[str], lines: Mapping[str, np.ndarray]) -> str:
    """The SVG text of a chart with one line per name, a value per day, and the name at the line's end.

    `lines` must not be empty; each has as many values as there are `days`.
    """
    values = np.concatenate([*lines.values(), [0.0]])
    ticks = _ticks(float(values.min()), float(values.max()))
    low, high = ticks[0], ticks[-1]

    def across(day: int) -> float:
        return _LEFT + (_WIDTH - _LEFT - _RIGHT) * day / max(len(days) - 1, 1)

    def up(value: float) -> float:
        return _HEIGHT - _BOTTOM - (_HEIGHT - _TOP - _BOTTOM) * (value - low) / (high - low)

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" '
        f'font-family="system-ui, sans-serif" font-size="13" fill="#333">',
        f"<title>{escape(title)}</title>",
        f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="#fff"/>',
        f'<text x="{_LEFT}" y="24" font-size="16">{escape(title)}</text>',
        f'<text x="{_LEFT}" y="42" fill="#666">{escape(unit)}</text>',
    ]
    for tick in ticks:
        parts.append(
            f'<line x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{up(tick):.1f}" y2="{up(tick):.1f}" '
            f'stroke="{"#888" if tick == 0 else "#ddd"}"/>'
            f'<text x="{_LEFT - 8}" y="{up(tick) + 4:.1f}" text-anchor="end">{tick:,.0f}</text>'
        )
    for day, anchor in ((0, "start"), (len(days) - 1, "end")):
        parts.append(
            f'<text x="{across(day):.1f}" y="{_HEIGHT - 16}" text-anchor="{anchor}">{escape(days[day])}</text>'
        )
    label_at = _apart({name: up(float(line[-1])) for name, line in lines.items()})
    for colour, (name, line) in zip(_COLOURS * len(lines), lines.items(), strict=False):
        points = " ".join(f"{across(day):.1f},{up(float(value)):.1f}" for day, value in enumerate(line))
        parts.append(
            f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2.5"/>'
            f'<text x="{_WIDTH - _RIGHT + 8}" y="{label_at[name] + 4:.1f}" fill="{colour}">{escape(name)}</text>'
        )
    return "\n".join([*parts, "</svg>", ""])


def _ticks(low: float, high: float) -> list[float]:
    """Round values from below `low` to above `high`, about five."""
    span = max(high - low, 1.0)
    step = 10 ** np.floor(np.log10(span))
    step = float(next(factor * step for factor in (0.2, 0.5, 1.0, 2.0) if span / (factor * step) <= 5))
    first, last = np.floor(low / step), np.ceil(high / step)
    return [float(number * step) for number in np.arange(first, max(last, first + 1) + 1)]


def _apart(heights: Mapping[str, float], least: float = 15) -> dict[str, float]:
    """The labels' heights, moved down where two would lie on each other."""
    placed: dict[str, float] = {}
    lowest = -least
    for name, height in sorted(heights.items(), key=lambda item: item[1]):
        lowest = placed[name] = max(height, lowest + least)
    return placed
