"""Charts of the section on lists and customers."""

from __future__ import annotations

import altair as alt

from tasks.report.charts.look import FIRST, QUIET, THIRD, Figure, data, in_order, tall, tooltip
from warehouse.report import Answers, Rows


def draw(answers: Answers) -> dict[str, Figure]:
    """`categories` of what lists show, and `customers` by stage."""
    drawn = {}
    if answers["categories"]:
        drawn["categories"] = _categories(answers["categories"])
    if answers["customers"]:
        drawn["customers"] = _customers(answers["customers"])
    return drawn


def _categories(rows: Rows) -> Figure:
    both = [
        {"category": row["category"], "what": what, "share": row[column]}
        for row in rows
        for what, column in (("shown in lists", "shown_ratio"), ("sold in four weeks", "sold_ratio"))
    ]
    chart = (
        alt.Chart(data(both, "category", "what", "share"))
        .mark_bar()
        .encode(
            y=alt.Y("category:N", title=None, sort=in_order(row["category"] for row in rows)),
            yOffset=alt.YOffset("what:N"),
            x=alt.X("share:Q", title="share", axis=alt.Axis(format="%")),
            color=alt.Color(
                "what:N",
                title=None,
                scale=alt.Scale(domain=["shown in lists", "sold in four weeks"], range=[FIRST, QUIET]),
            ),
            tooltip=tooltip(("category:N", "category"), ("what:N", "what"), ("share:Q", "share", ".1%")),
        )
        .properties(height=tall(len(rows), 34))
    )
    words = "Shares by category: " + "; ".join(
        f"{row['category']} {row['shown_ratio']:.0%} shown, {row['sold_ratio']:.0%} sold" for row in rows[:6]
    )
    return Figure("Do lists show what the shop sells?", f"{words}.", chart)


def _customers(rows: Rows) -> Figure:
    chart = (
        alt.Chart(data(rows, "lifecycle_stage", "users", "expected_revenue_28d", "churn_probability_90d"))
        .mark_bar(color=THIRD)
        .encode(
            y=alt.Y("lifecycle_stage:N", title=None, sort=in_order(row["lifecycle_stage"] for row in rows)),
            x=alt.X("expected_revenue_28d:Q", title="expected to spend in 28 days"),
            tooltip=tooltip(
                ("lifecycle_stage:N", "stage"),
                ("users:Q", "customers", ","),
                ("expected_revenue_28d:Q", "spend", ",.0f"),
                ("churn_probability_90d:Q", "no order in 90 days", ".0%"),
            ),
        )
        .properties(height=tall(len(rows), 26))
    )
    words = "; ".join(
        f"{row['lifecycle_stage']}: {row['users']:,} customers, {row['expected_revenue_28d']:,.0f}" for row in rows
    )
    return Figure("Where the coming four weeks' revenue is expected from", f"{words}.", chart)
