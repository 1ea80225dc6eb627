"""Charts of the section on data."""

from __future__ import annotations

import altair as alt

from tasks.report.charts.look import BAD, FIRST, INK, QUIET, SECOND, Figure, data, in_order, tall, tooltip
from warehouse.report import Answers, Rows


def draw(answers: Answers) -> dict[str, Figure]:
    """`feeds` by the age of their newest row, `quarantine` by rule, `drift` and `steps` of the night: what there is."""
    drawn = {}
    dated = [row for row in answers["feeds"] if row["age_days"] is not None]
    if dated:
        drawn["feeds"] = _feeds(dated)
    if answers["quarantine"]:
        drawn["quarantine"] = _quarantine(answers["quarantine"])
    features = [row for row in answers["drift"] if row["metric"] == "psi"]
    if features:
        drawn["drift"] = _drift(features)
    if answers["steps"]:
        drawn["steps"] = _steps(answers["steps"])
    return drawn


def _feeds(rows: Rows) -> Figure:
    named = [row | {"state": "fresh" if row["is_fresh"] else "older than expected"} for row in rows]
    chart = (
        alt.Chart(data(named, "feed", "age_days", "state"))
        .mark_bar()
        .encode(
            y=alt.Y("feed:N", title=None),
            x=alt.X("age_days:Q", title="days since the newest row", axis=alt.Axis(tickMinStep=1)),
            color=alt.Color(
                "state:N", title=None, scale=alt.Scale(domain=["fresh", "older than expected"], range=[FIRST, BAD])
            ),
            tooltip=tooltip(("feed:N", "feed"), ("age_days:Q", "days", "d"), ("state:N", "state")),
        )
        .properties(height=tall(len(rows)))
    )
    oldest = max(rows, key=lambda row: row["age_days"])
    words = f"Days since the newest row of {len(rows)} feeds; {oldest['feed']} is oldest with {oldest['age_days']}."
    return Figure("How fresh the feeds are", words, chart)


def _quarantine(rows: Rows) -> Figure:
    named = [row | {"name": f"{row['table_name']}: {row['broken_rules']}"} for row in rows]
    chart = (
        alt.Chart(data(named, "name", "quarantined_rows"))
        .mark_bar(color=SECOND)
        .encode(
            y=alt.Y("name:N", title=None, sort=in_order(row["name"] for row in named)),
            x=alt.X("quarantined_rows:Q", title="rows set aside"),
            tooltip=tooltip(("name:N", "rule"), ("quarantined_rows:Q", "rows", ",")),
        )
        .properties(height=tall(len(rows)))
    )
    words = "; ".join(f"{row['name']} {row['quarantined_rows']:,}" for row in named)
    return Figure("Rows set aside, by the rule that they broke", f"{words}.", chart)


def _drift(rows: Rows) -> Figure:
    named = [row | {"state": "alert" if row["is_alert"] else "as usual"} for row in rows]
    values = data(named, "subject", "value", "measured_value", "threshold", "state")
    base = alt.Chart(values).encode(y=alt.Y("subject:N", title=None, sort=in_order(row["subject"] for row in rows)))
    bars = base.mark_bar().encode(
        x=alt.X("value:Q", title="population stability index; 0 where nothing moved"),
        color=alt.Color("state:N", title=None, scale=alt.Scale(domain=["as usual", "alert"], range=[FIRST, BAD])),
        tooltip=tooltip(
            ("subject:N", "what"),
            ("value:Q", "tonight", ".3f"),
            ("measured_value:Q", "measured window", ".3f"),
            ("threshold:Q", "threshold", ".3f"),
        ),
    )
    seen_by_gates = base.mark_tick(color=INK, thickness=2, size=18, opacity=1).encode(x="measured_value:Q")
    words = (
        f"The {len(rows)} features and predictions that moved most, {rows[0]['subject']} first with "
        f"{rows[0]['value']:.2f}; a mark where each stood in the window that the gates saw."
    )
    return Figure(
        "What moved most since the training window; the mark is where the gates saw it",
        words,
        (bars + seen_by_gates).properties(height=tall(len(rows))),
    )


def _steps(rows: Rows) -> Figure:
    named = [row | {"name": row["step"].replace("_", " ")} for row in rows]
    chart = (
        alt.Chart(data(named, "name", "seconds"))
        .mark_bar(color=QUIET)
        .encode(
            y=alt.Y("name:N", title=None, sort=in_order(row["name"] for row in named)),
            x=alt.X("seconds:Q", title="seconds"),
            tooltip=tooltip(("name:N", "step"), ("seconds:Q", "seconds", ".1f")),
        )
        .properties(height=tall(len(rows)))
    )
    total = sum(row["seconds"] for row in rows)
    longest = max(named, key=lambda row: row["seconds"])
    words = f"The steps before the release took {total:,.0f} seconds, {longest['name']} longest."
    return Figure("Where the night went", words, chart)
