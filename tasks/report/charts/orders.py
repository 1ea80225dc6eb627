"""Charts of the section on orders."""

from __future__ import annotations

import altair as alt

from tasks.report.charts.look import BAD, COLOURS, INK, QUIET, SECOND, Figure, data, in_order, tall, tooltip
from warehouse.report import Answers, Rows

_EXCEPTIONS = {
    "may run out": BAD, "as it should be": COLOURS[0], "overstocked": SECOND, "stock not known": QUIET,
}  # fmt: skip


def draw(answers: Answers) -> dict[str, Figure]:
    """`exceptions` by site where stock is known, and `urgent`: where positions stand against their levels."""
    drawn = {}
    if answers["totals"][0]["known_positions"]:
        drawn["exceptions"] = _exceptions(answers["exceptions"])
    if answers["urgent"]:
        drawn["urgent"] = _urgent(answers["urgent"])
    return drawn


def _exceptions(rows: Rows) -> Figure:
    present = [name for name in _EXCEPTIONS if name in {row["exception"] for row in rows}]
    chart = (
        alt.Chart(data(rows, "site_id", "exception", "positions"))
        .mark_bar()
        .encode(
            y=alt.Y("site_id:N", title=None),
            x=alt.X("positions:Q", title="products at a site"),
            color=alt.Color(
                "exception:N",
                title=None,
                scale=alt.Scale(domain=present, range=[_EXCEPTIONS[name] for name in present]),
            ),
            tooltip=tooltip(("site_id:N", "site"), ("exception:N", "state"), ("positions:Q", "products", ",")),
        )
        .properties(height=tall(len({row["site_id"] for row in rows}), 34))
    )
    words = "; ".join(f"{row['site_id']}: {row['positions']:,} {row['exception']}" for row in rows) + "."
    return Figure("Stock positions by site", words, chart)


def _urgent(rows: Rows) -> Figure:
    values = data(
        rows, "name", "inventory_position_units", "reorder_point_units", "order_up_to_units", "recommended_order_units"
    )
    y = alt.Y("name:N", title=None, sort=in_order(row["name"] for row in rows))
    hover = tooltip(
        ("name:N", "product"),
        ("inventory_position_units:Q", "there and on the way", ",.0f"),
        ("reorder_point_units:Q", "order at", ",.0f"),
        ("order_up_to_units:Q", "order up to", ",.0f"),
        ("recommended_order_units:Q", "order", ",.0f"),
    )
    base = alt.Chart(values).encode(y=y, tooltip=hover)
    stock = base.mark_bar().encode(x=alt.X("inventory_position_units:Q", title="units"))
    reach = base.mark_rule(color=QUIET, strokeDash=[3, 3]).encode(
        x="inventory_position_units:Q", x2="order_up_to_units:Q"
    )
    at = base.mark_tick(color=BAD, thickness=3, size=16, opacity=1).encode(x="reorder_point_units:Q")
    to = base.mark_point(color=INK, shape="diamond", opacity=1).encode(x="order_up_to_units:Q")
    words = (
        f"For each of the {len(rows)} most urgent orders a bar of the units there and on the way, a red mark where an "
        "order is due and a diamond at the level to order up to; every bar ends before its red mark."
    )
    chart = (stock + reach + at + to).properties(height=tall(len(rows)))
    return Figure(
        "Most urgent orders: bar = there and on the way, red mark = order at, diamond = order up to", words, chart
    )
