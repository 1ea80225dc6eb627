"""Charts of the section on demand."""

from __future__ import annotations

import altair as alt

from tasks.report.charts.look import FIRST, QUIET, SECOND, Figure, data, days, in_order, tall, tooltip
from warehouse.report import Answers, Rows


def draw(answers: Answers) -> dict[str, Figure]:
    """`fans` of the products that sell most, and `categories`, where there is a forecast."""
    if not answers["fans"]:
        return {}
    return {"fans": _fans(answers["fans"]), "categories": _categories(answers["categories"])}


def _fans(rows: Rows) -> Figure:
    values = data(
        rows, "name", "week_start", "sold_units", "units_p10", "units_p50", "units_p90", "price_assumed", "is_promoted"
    )
    base = alt.Chart(values).encode(x=days("week_start"))
    ahead = tooltip(
        ("week_start:T", "week of", "%-d %b"),
        ("units_p10:Q", "one in ten below", ",.0f"),
        ("units_p50:Q", "middle", ",.0f"),
        ("units_p90:Q", "one in ten above", ",.0f"),
        ("price_assumed:Q", "price", ",.2f"),
        ("is_promoted:N", "promoted"),
    )
    fan = base.mark_area(color=FIRST, opacity=0.25).encode(
        y=alt.Y("units_p10:Q", title="units a week"), y2="units_p90:Q"
    )
    middle = base.mark_line(color=FIRST, point={"color": FIRST}).encode(y="units_p50:Q", tooltip=ahead)
    sold = base.mark_line(color=QUIET).encode(
        y="sold_units:Q", tooltip=tooltip(("week_start:T", "week of", "%-d %b"), ("sold_units:Q", "sold", ",.0f"))
    )
    order = in_order(row["name"] for row in rows)
    chart = (
        alt.layer(fan, middle, sold)
        .properties(width=240, height=120)
        .facet(facet=alt.Facet("name:N", sort=order), columns=4)
        .resolve_scale(y="independent")
    )
    first = [row for row in rows if row["name"] == order[0] and row["units_p50"] is not None]
    words = f"Small charts of {len(order)} products: a grey line of weekly sales, then a blue fan of the coming weeks."
    if first:
        words += (
            f" {order[0]}, coming week: {first[0]['units_p50']:,.0f} units, "
            f"{first[0]['units_p10']:,.0f} to {first[0]['units_p90']:,.0f} in eight cases of ten."
        )
    return Figure("What sells most: twelve weeks as sold (grey), four ahead with their range (blue)", words, chart)


def _categories(rows: Rows) -> Figure:
    order = in_order(row["category"] for row in rows)
    both = [
        {"category": row["category"], "period": period, "units": row[column]}
        for row in rows
        for period, column in (("last four weeks, sold", "sold_units"), ("next four weeks, expected", "expected_units"))
    ]
    chart = (
        alt.Chart(data(both, "category", "period", "units"))
        .mark_bar()
        .encode(
            y=alt.Y("category:N", title=None, sort=order),
            yOffset=alt.YOffset("period:N"),
            x=alt.X("units:Q", title="units in four weeks"),
            color=alt.Color("period:N", title=None, scale=alt.Scale(range=[QUIET, SECOND])),
            tooltip=tooltip(("category:N", "category"), ("period:N", "when"), ("units:Q", "units", ",.0f")),
        )
        .properties(height=tall(len(rows), 34))
    )
    largest = rows[0]
    words = (
        f"Pairs of bars by category, largest first: {largest['category']} sold {largest['sold_units']:,.0f} units and "
        f"is expected to sell {largest['expected_units']:,.0f}."
    )
    return Figure("Categories: sold and expected", words, chart)
