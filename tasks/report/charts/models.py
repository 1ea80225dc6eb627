"""Charts of the section on the model."""

from __future__ import annotations

import altair as alt

from tasks.report.charts.look import BAD, FIRST, GOOD, LINE, QUIET, SECOND, Figure, data, days, tall, tooltip
from warehouse.report import Answers, Row, Rows


def draw(answers: Answers) -> dict[str, Figure]:
    """`gains` over naive tonight and their `history`, `outcomes` of earlier nights, `calibration`, `relations` of tasks
    and `gates`: what there is."""
    drawn = {}
    if any(row["gain"] is not None for row in answers["measures"]):
        drawn["gains"] = _gains([row for row in answers["measures"] if row["gain"] is not None])
    if len({row["as_of_date"] for row in answers["history"]}) > 1:
        drawn["history"] = _history(answers["history"])
    if answers["outcome_history"]:
        drawn["outcomes"] = _outcomes(answers["outcome_history"])
    if answers["calibration"]:
        drawn["calibration"] = _calibration(answers["calibration"])
    if answers["relations"]:
        drawn["relations"] = _heat_map(
            "Do the tasks pull the shared part the same way?", "gradient_cosine", "other_task", answers["relations"]
        )
    if answers["gates"]:
        drawn["gates"] = _heat_map("Which experts the tasks' gates choose", "share", "expert", answers["gates"])
    return drawn


def _gains(rows: Rows) -> Figure:
    named = [row | {"name": _name(row), "side": "better" if row["gain"] >= 0 else "worse"} for row in rows]
    ordered = sorted(named, key=lambda row: (-row["gain"], row["name"]))
    chart = (
        alt.Chart(data(ordered, "name", "gain", "side", "value", "baseline_value", "baseline"))
        .mark_bar()
        .encode(
            y=alt.Y("name:N", title=None, sort=[row["name"] for row in ordered]),
            x=alt.X("gain:Q", title="better than naive by", axis=alt.Axis(format="%")),
            color=alt.Color("side:N", legend=None, scale=alt.Scale(domain=["better", "worse"], range=[GOOD, BAD])),
            tooltip=tooltip(
                ("name:N", "measure"),
                ("value:Q", "joint model", ".4g"),
                ("baseline_value:Q", "naive", ".4g"),
                ("baseline:N", "naive is"),
            ),
        )
        .properties(height=tall(len(rows)))
    )
    words = "; ".join(f"{row['name']} {row['gain']:+.0%}" for row in ordered)
    return Figure("Tonight's model beside the naive baseline", f"{words}.", chart)


def _history(rows: Rows) -> Figure:
    nights = len({row["as_of_date"] for row in rows})
    words = f"Lines over {nights} nights of how much better than naive the joint model and the one before it were."
    chart = _over_nights(rows, "model", {"joint": FIRST, "champion": QUIET, "alone": SECOND})
    return Figure("Joint, champion and each task alone, over the nights", words, chart)


def _outcomes(rows: Rows) -> Figure:
    nights = len({row["as_of_date"] for row in rows})
    words = f"Of {nights} nights whose weeks have passed: how much better than naive they were, and had promised to be."
    chart = _over_nights(rows, "source", {"came true": FIRST, "promised": QUIET})
    return Figure("Did nights keep what they promised?", words, chart)


def _over_nights(rows: Rows, series: str, colours: dict[str, str]) -> alt.FacetChart:
    """A small chart per measure of how much better than naive it was, a line for each of the series."""
    return (
        alt.Chart(data(rows, "measure", "as_of_date", series, "percent_better"))
        .mark_line(point=True)
        .encode(
            x=days("as_of_date", count=5, at=(row["as_of_date"] for row in rows)),
            y=alt.Y("percent_better:Q", title="% better than naive"),
            color=alt.Color(
                f"{series}:N", title=None, scale=alt.Scale(domain=list(colours), range=list(colours.values()))
            ),
            tooltip=tooltip(
                ("as_of_date:T", "night", "%-d %b %Y"),
                (f"{series}:N", series),
                ("percent_better:Q", "% better than naive", ".1f"),
            ),
        )
        .properties(width=240, height=110)
        .facet(facet=alt.Facet("measure:N"), columns=3)
        .resolve_scale(y="independent")
    )


def _calibration(rows: Rows) -> Figure:
    base = alt.Chart(data(rows, "name", "predicted_mean", "observed_mean", "sample_count")).encode(
        x=alt.X("predicted_mean:Q", title="said", axis=alt.Axis(format="%", tickCount=4)),
        y=alt.Y("observed_mean:Q", title="happened", axis=alt.Axis(format="%", tickCount=4)),
    )
    perfect = base.mark_line(color=LINE, strokeDash=[4, 3]).encode(y=alt.Y("predicted_mean:Q", title="happened"))
    seen = base.mark_line(color=FIRST, point={"color": FIRST}).encode(
        tooltip=tooltip(
            ("predicted_mean:Q", "said", ".1%"), ("observed_mean:Q", "happened", ".1%"), ("sample_count:Q", "rows", ",")
        )
    )
    chart = (
        alt.layer(perfect, seen)
        .properties(width=150, height=130)
        .facet(facet=alt.Facet("name:N"), columns=5)
        .resolve_scale(x="independent", y="independent")
    )
    worst = max(rows, key=lambda row: abs((row["observed_mean"] or 0) - (row["predicted_mean"] or 0)))
    words = (
        f"For each of {len({row['name'] for row in rows})} probabilities what was said beside what happened, in ten "
        f"bins; on the dashed line both agree. The widest gap is in {worst['name']}: "
        f"{worst['predicted_mean']:.1%} said, {worst['observed_mean']:.1%} happened."
    )
    return Figure("Can probabilities be taken at their word?", words, chart)


def _heat_map(title: str, value: str, across: str, rows: Rows) -> Figure:
    known = [row for row in rows if row[value] is not None]
    largest = max((abs(row[value]) for row in known), default=0.0) or 1.0
    is_signed = any(row[value] < 0 for row in known)
    scale = (
        alt.Scale(scheme="blueorange", domain=[-largest, largest], reverse=True)
        if is_signed
        else alt.Scale(scheme="blues", domain=[0, largest])
    )
    base = alt.Chart(data(known, "task", across, value)).encode(
        x=alt.X(f"{across}:N", title=None, axis=alt.Axis(labelAngle=-40)),
        y=alt.Y("task:N", title=None),
        tooltip=tooltip(("task:N", "task"), (f"{across}:N", "with"), (f"{value}:Q", value.replace("_", " "), ".3f")),
    )
    cells = base.mark_rect().encode(color=alt.Color(f"{value}:Q", title=None, scale=scale))
    most = max(known, key=lambda row: row[value])
    least = min(known, key=lambda row: row[value])
    words = (
        f"Highest for {most['task']} with {most[across]} ({most[value]:.3f}), "
        f"lowest for {least['task']} with {least[across]} ({least[value]:.3f})."
    )
    return Figure(title, words, cells.properties(height=tall(len({row["task"] for row in known}), 26)))


def _name(row: Row) -> str:
    return f"{row['head']}: {row['task']} {row['metric']}".replace("_", " ")
