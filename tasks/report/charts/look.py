"""How every chart of the page looks. Colours are the page's own CSS variables, so that charts follow light, dark and
print without being drawn again."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import altair as alt

from warehouse.report import Rows

Chart = alt.Chart | alt.LayerChart | alt.FacetChart

# Told apart by colour-blind readers too (after Okabe and Ito 2008), in light and in dark.
COLOURS = tuple(f"var(--series-{number})" for number in range(1, 7))
FIRST, SECOND, THIRD = COLOURS[:3]
INK, QUIET, LINE = "var(--ink)", "var(--quiet)", "var(--line)"
GOOD, BAD = "var(--good)", "var(--bad)"

_FONT = "system-ui, sans-serif"
_CONFIG: dict[str, Any] = {
    "background": "transparent",
    "font": _FONT,
    "axis": {
        "labelColor": QUIET, "titleColor": QUIET, "titleFontWeight": "normal", "gridColor": LINE, "domainColor": LINE,
        "tickColor": LINE, "labelFontSize": 12, "titleFontSize": 12, "labelLimit": 260,
    },
    "axisQuantitative": {"tickCount": 6},
    "legend": {
        "labelColor": INK, "titleColor": QUIET, "titleFontWeight": "normal", "orient": "top", "labelFontSize": 12,
        "titleFontSize": 12, "symbolStrokeWidth": 3,
    },
    "header": {"labelColor": INK, "labelFontSize": 12, "labelFontWeight": "bold", "labelLimit": 260, "title": None},
    "view": {"stroke": None},
    "range": {"category": list(COLOURS)},
    "bar": {"color": FIRST},
    "line": {"color": FIRST, "strokeWidth": 2},
    "point": {"color": FIRST, "size": 60, "filled": True},
    "rule": {"color": QUIET},
    "text": {"color": INK, "fontSize": 12},
}  # fmt: skip


@dataclass(frozen=True)
class Figure:
    """A chart with its title and, for those who do not see it, what it shows in words."""

    title: str
    words: str
    chart: Chart

    @property
    def spec(self) -> str:
        """The Vega-Lite specification as JSON that may stand within an HTML script element.

        It is not checked against Vega-Lite's schema here, which takes seconds for a page; the tests do that.
        """
        spec = self.chart.to_dict(validate=False)
        spec["config"] = _CONFIG
        spec.pop("$schema")
        return json.dumps(spec, separators=(",", ":"), sort_keys=True).replace("<", "\\u003c")


def data(rows: Rows, *columns: str) -> alt.Data:
    """These columns of the rows as a chart's data."""
    return alt.Data(values=[{column: _moment(row[column]) for column in columns} for row in rows])


def days(field: str, *, count: int = 6, at: Iterable[date] = ()) -> alt.X:
    """A horizontal axis of days, with about `count` labels, or one for each of the days `at` where these are few."""
    named = sorted(set(at))
    values = (
        [alt.DateTime(year=day.year, month=day.month, date=day.day) for day in named] if len(named) <= count else None
    )
    axis = alt.Axis(format="%-d %b", grid=False, **({"values": values} if values else {"tickCount": count}))
    return alt.X(field, type="temporal", title=None, axis=axis)


def tall(bars: int, each: int = 22) -> int:
    """The height in pixels of a chart with that many horizontal bars. A chart that fills its page's width cannot have a
    height in steps."""
    return bars * each + 10


def in_order(names: Iterable[Any]) -> list[Any]:
    """The names once each, in the order in which they first appear."""
    return list(dict.fromkeys(names))


def tooltip(*fields: Sequence[str]) -> list[alt.Tooltip]:
    """What is shown on hovering: pairs of an Altair shorthand and its title, and a format where there is a third."""
    return [
        alt.Tooltip(shorthand, title=title, format=form[0]) if form else alt.Tooltip(shorthand, title=title)
        for shorthand, title, *form in fields
    ]


def _moment(value: object) -> object:
    """Days as local midnight: a bare date would be read as UTC, and be the day before in the west."""
    return f"{value.isoformat()}T00:00:00" if isinstance(value, date) else value
