"""Score what earlier nights published against what tonight knows."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

import duckdb
import numpy as np
import polars as pl

from mtl_models.metrics import Values
from mtl_models.realised import Realised, bins
from tasks.night import Night
from tasks.outcomes.topics import TOPICS, Topic
from tasks.write_rows import append, defined
from warehouse.connect import read_sql, transaction
from warehouse.contracts.table import quote

Row = dict[str, Any]


def score_nights(con: duckdb.DuckDBPyConnection, night: Night) -> int:
    """Fill ops.outcomes and ops.outcome_calibration for every released night that is due; how many nights were.

    A row is replaced by what is known by now, never by what was known earlier: a night of an earlier day leaves alone
    what later nights have scored.
    """
    outcomes: list[Row] = []
    calibration: list[Row] = []
    for topic in TOPICS:
        due = _due_nights(con, night, topic)
        columns = _columns_by_night(con, topic) if due else {}
        for row in due:
            of_night = columns.get(row["run_id"])
            scored = list(_score(night, topic, row, of_night))
            outcomes += scored
            if of_night is not None and any(one["is_mature"] for one in scored):
                calibration += _bins(topic, row, of_night)
    with transaction(con):
        for name, rows in (("outcomes", outcomes), ("outcome_calibration", calibration)):
            con.execute(f"create or replace temp table scored_rows as from ops.{name} limit 0")
            append(con, "temp.scored_rows", _frame(rows))
            con.execute(read_sql(f"outcomes/write_{name}.sql"))
        con.execute(read_sql("outcomes/mark_rolled_back.sql"))
    return len({row["run_id"] for row in outcomes})


def _due_nights(con: duckdb.DuckDBPyConnection, night: Night, topic: Topic) -> list[Row]:
    """Rows of the temporary table due_nights, which the topic's query reads: of those that are over, unless it can be
    scored by the day. The others are returned all the same."""
    con.execute(f"create or replace temp view kept_rows as from kept.{quote(topic.kept)}")
    days = 0 if topic.ends_with_rows else topic.days or night.features.horizon_days
    con.execute(read_sql("outcomes/due_nights.sql"), [days, topic.head, *topic.headline, night.monitoring.late_days])
    rows = con.sql("from due_nights order by as_of_date, run_id").pl().to_dicts()
    if not topic.is_daily:
        con.execute("delete from due_nights where observed_until < window_end")
    return rows


def _columns_by_night(con: duckdb.DuckDBPyConnection, topic: Topic) -> dict[str, pl.DataFrame]:
    frame = con.sql(read_sql(f"outcomes/{topic.query}.sql")).pl()
    return {str(run_id): rows for (run_id,), rows in frame.partition_by("run_id", as_dict=True).items()}


def _score(night: Night, topic: Topic, due: Row, frame: pl.DataFrame | None) -> Iterator[Row]:
    """The rows of ops.outcomes for one night; of a window that is not over and cannot be scored by the day, one row
    that says how far it is."""
    # Where nothing came at all, a share of it is not defined.
    with np.errstate(divide="ignore", invalid="ignore"):
        found = topic.measure(_arrays(frame)) if frame is not None else []
    end: date = frame["window_end"][0] if frame is not None and topic.ends_with_rows else due["window_end"]
    until = min(end, night.as_of_date)
    if not found and until == end:
        return
    about = {
        "run_id": due["run_id"],
        "as_of_date": due["as_of_date"],
        "head": topic.head,
        "window_start": due["as_of_date"],
        "window_end": end,
        "horizon_days": (end - due["as_of_date"]).days,
        "observed_days": (until - due["as_of_date"]).days,
        "is_mature": until == end,
        "is_fallback": due["is_fallback"],
        "known_until": night.as_of_date,
        "scored_by": night.run_id,
    }
    task, metric = topic.headline
    yield from (about | _values(one) for one in found) if found else [about | {"task": task, "metric": metric}]


def _values(realised: Realised) -> Row:
    score = realised.score
    return {
        "task": score.task,
        "metric": score.metric,
        "unit": realised.unit,
        "value": score.value,
        "baseline_value": score.baseline_value,
        "baseline": score.baseline or None,
        "promised_value": realised.promised_value,
        "promise": realised.promise,
        "is_higher_better": score.is_higher_better,
        "sample_count": score.sample_count,
    }


def _bins(topic: Topic, due: Row, frame: pl.DataFrame) -> list[Row]:
    columns = _arrays(frame)
    return [
        {"run_id": due["run_id"], "as_of_date": due["as_of_date"], "head": topic.head, "task": task}
        | dict(zip(("bin", "predicted_mean", "observed_mean", "sample_count"), one, strict=True))
        for task, observed, predicted in topic.chances
        for one in bins(columns[observed], columns[predicted])
    ]


def _arrays(frame: pl.DataFrame) -> dict[str, Values]:
    """Numbers and flags as arrays; what is not known is NaN."""
    numbers = frame.select(pl.selectors.numeric() | pl.selectors.boolean())
    return {column.name: column.cast(pl.Float64).fill_null(np.nan).to_numpy().astype(np.float64) for column in numbers}


def _frame(rows: list[Row]) -> pl.DataFrame:
    return defined(pl.DataFrame(rows, infer_schema_length=None))
