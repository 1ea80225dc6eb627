"""Charts of the section on service."""

from __future__ import annotations

import altair as alt

from tasks.report.charts.look import FIRST, INK, QUIET, Figure, data, days, in_order, tooltip
from warehouse.report import Answers, Rows


def draw(answers: Answers) -> dict[str, Figure]:
    """`days` by reason, `fans` of the busiest queues and `staffing`, where there is a forecast."""
    if not answers["fans"]:
        return {}
    return {
        "days": _days(answers["days"]),
        "fans": _fans(answers["fans"]),
        "staffing": _staffing(answers["staffing"]),
    }


def _days(rows: Rows) -> Figure:
    named = [row | {"reason": row["contact_reason"].replace("_", " ")} for row in rows]
    first = min(row["day"] for row in rows if row["kind"] == "expected")
    bars = (
        alt.Chart(data(named, "day", "reason", "kind", "contacts"))
        .mark_bar()
        .encode(
            x=days("yearmonthdate(day)", count=8),
            y=alt.Y("contacts:Q", title="contacts a day"),
            color=alt.Color("reason:N", title=None, legend=alt.Legend(columns=3)),
            opacity=alt.Opacity("kind:O", legend=None, scale=alt.Scale(domain=["came", "expected"], range=[0.55, 1.0])),
            tooltip=tooltip(
                ("day:T", "day", "%a %-d %b"),
                ("reason:N", "reason"),
                ("kind:N", "these"),
                ("contacts:Q", "contacts", ",.1f"),
            ),
        )
    )
    today = alt.Chart(data([{"day": first}], "day")).mark_rule(color=INK, strokeDash=[4, 3]).encode(x="day:T")
    came = [row["contacts"] for row in rows if row["kind"] == "came"]
    expected = [row["contacts"] for row in rows if row["kind"] == "expected"]
    words = (
        f"Daily contacts stacked by reason: {sum(came):,.0f} came in the four weeks before {first}, "
        f"{sum(expected):,.0f} are expected in the days shown after it."
    )
    return Figure("Contacts a day: as they came (pale), then as expected", words, (bars + today).properties(height=220))


def _fans(rows: Rows) -> Figure:
    base = alt.Chart(data(rows, "queue", "day", "came", "contacts_p10", "contacts_p50", "contacts_p90")).encode(
        x=days("day")
    )
    fan = base.mark_area(color=FIRST, opacity=0.25).encode(
        y=alt.Y("contacts_p10:Q", title="contacts a day"), y2="contacts_p90:Q"
    )
    middle = base.mark_line(color=FIRST).encode(
        y="contacts_p50:Q",
        tooltip=tooltip(
            ("day:T", "day", "%a %-d %b"),
            ("contacts_p10:Q", "one in ten below", ".1f"),
            ("contacts_p50:Q", "middle", ".1f"),
            ("contacts_p90:Q", "one in ten above", ".1f"),
        ),
    )
    came = base.mark_line(color=QUIET, strokeWidth=1.5).encode(
        y="came:Q", tooltip=tooltip(("day:T", "day", "%a %-d %b"), ("came:Q", "came", ".0f"))
    )
    order = in_order(row["queue"] for row in rows)
    chart = (
        alt.layer(fan, middle, came)
        .properties(width=240, height=120)
        .facet(facet=alt.Facet("queue:N", sort=order), columns=4)
    )
    words = f"Small charts of {', '.join(order)}: daily contacts as they came, then the range that is expected."
    return Figure(
        "The busiest queues: four weeks as they came (grey), four ahead with their range (blue)", words, chart
    )


def _staffing(rows: Rows) -> Figure:
    chart = (
        alt.Chart(data(rows, "day", "channel", "contacts", "hours", "agents"))
        .mark_bar()
        .encode(
            x=days("yearmonthdate(day)", count=14),
            y=alt.Y("hours:Q", title="hours of work"),
            color=alt.Color("channel:N", title=None),
            tooltip=tooltip(
                ("day:T", "day", "%a %-d %b"),
                ("channel:N", "channel"),
                ("contacts:Q", "contacts", ".1f"),
                ("hours:Q", "hours of work", ".1f"),
                ("agents:Q", "agents", ".0f"),
            ),
        )
        .properties(height=180)
    )
    by_day: dict[object, float] = {}
    for row in rows:
        by_day[row["day"]] = by_day.get(row["day"], 0.0) + (row["hours"] or 0.0)
    words = f"Hours of work a day for two weeks, between {min(by_day.values()):.1f} and {max(by_day.values()):.1f}."
    return Figure("Work in the coming two weeks, by channel", words, chart)
