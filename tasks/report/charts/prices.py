"""Charts of the section on prices."""

from __future__ import annotations

import altair as alt

from tasks.report.charts.look import BAD, FIRST, INK, QUIET, SECOND, Figure, data, in_order, tall, tooltip
from warehouse.report import Answers, Rows


def draw(answers: Answers) -> dict[str, Figure]:
    """`moves` and `responses`, where there are prices to move."""
    if not answers["moves"]:
        return {}
    earned = "margin" if answers["totals"][0]["is_margin"] else "revenue"
    return {"moves": _moves(answers["moves"], earned), "responses": _responses(answers["responses"], earned)}


def _moves(rows: Rows, earned: str) -> Figure:
    labelled = [
        row
        | {
            "label": f"{row['current_price']:,.2f} → {row['recommended_price']:,.2f}",
            "status": "set by itself" if row["review_status"] == "auto_apply" else "to be reviewed",
        }
        for row in rows
    ]
    values = data(labelled, "title", "gain", "label", "status", "elasticity_p50")
    base = alt.Chart(values).encode(
        y=alt.Y("title:N", title=None, sort=in_order(row["title"] for row in rows)),
        # Room for the label of the longest bar.
        x=alt.X(
            "gain:Q",
            title=f"expected {earned} gained in 28 days",
            scale=alt.Scale(domain=[0, 1.15 * rows[0]["gain"]], nice=False),
        ),
    )
    bars = base.mark_bar().encode(
        color=alt.Color(
            "status:N", title=None, scale=alt.Scale(domain=["set by itself", "to be reviewed"], range=[FIRST, SECOND])
        ),
        tooltip=tooltip(
            ("title:N", "product"),
            ("label:N", "price"),
            ("gain:Q", "gain", ",.2f"),
            ("elasticity_p50:Q", "elasticity", ".2f"),
        ),
    )
    labels = base.mark_text(align="left", dx=5).encode(text="label:N")
    best = rows[0]
    words = (
        f"Bars, longest first: {best['title']} leads with {best['gain']:,.0f}, from {best['current_price']:,.2f} to "
        f"{best['recommended_price']:,.2f}; the fifteenth and last bar is {rows[-1]['gain']:,.0f} long."
        if len(rows) == 15
        else f"Bars, longest first: {best['title']} leads with {best['gain']:,.0f}."
    )
    return Figure(
        "The price moves that are expected to bring most", words, (bars + labels).properties(height=tall(len(rows)))
    )


def _responses(rows: Rows, earned: str) -> Figure:
    values = data(rows, "title", "price", "expected_units", "earned", "is_allowed", "role")
    base = alt.Chart(values).encode(
        x=alt.X("price:Q", title="price", scale=alt.Scale(zero=False)),
        y=alt.Y("earned:Q", title=f"{earned} in 28 days", scale=alt.Scale(zero=False)),
        tooltip=tooltip(
            ("price:Q", "price", ",.2f"), ("earned:Q", earned, ",.0f"), ("expected_units:Q", "units", ",.0f")
        ),
    )
    line = base.mark_line(color=QUIET, strokeWidth=1.5)
    allowed = base.mark_point(size=36).encode(
        color=alt.condition("datum.is_allowed", alt.value(QUIET), alt.value(BAD)),
        shape=alt.condition("datum.is_allowed", alt.value("circle"), alt.value("cross")),
    )
    marked = (
        base.transform_filter("datum.role != null")
        .mark_point(size=110, opacity=1)
        .encode(
            color=alt.Color("role:N", title=None, scale=alt.Scale(domain=["now", "recommended"], range=[INK, FIRST]))
        )
    )
    order = in_order(row["title"] for row in rows)
    chart = (
        alt.layer(line, allowed, marked)
        .properties(width=240, height=150)
        .facet(facet=alt.Facet("title:N", sort=order), columns=3)
        .resolve_scale(x="independent", y="independent")
    )
    words = (
        f"For each of {len(order)} products, the {earned} that each price of its grid is expected to bring, with the "
        "price now and the recommended one marked; crosses are prices that a guardrail forbids."
    )
    return Figure(f"How {earned} answers to the price, where most is to be gained", words, chart)
