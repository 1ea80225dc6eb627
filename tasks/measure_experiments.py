"""Measure experiments: what users did since they are treated otherwise, beside those of the control."""

from __future__ import annotations

from dataclasses import dataclass, fields

import duckdb
import numpy as np

from mtl_models.experiments import Moments, lifts
from tasks.decisions.context import arrays, store
from tasks.decisions.groups import controls
from tasks.night import Night
from warehouse import build
from warehouse.connect import read_sql


@dataclass(frozen=True)
class ExperimentReport:
    """What was compared: experiments that have run for a day at least, and lifts (a variant and metric each)."""

    experiments: int
    lifts: int

    def __str__(self) -> str:
        return f"{self.lifts} lifts of {self.experiments} experiments" if self.lifts else "no experiment has run yet"


def measure_experiments(con: duckdb.DuckDBPyConnection, night: Night) -> ExperimentReport:
    """Fill `ops.experiment_lifts` for tonight, from each user's days between the assignment and the as-of date."""
    con.execute("delete from ops.experiment_lifts where run_id = $1", [night.run_id])
    build.set_variables(con, {"as_of_date": night.as_of_date, "run_id": night.run_id})
    planned = controls(night.experiments)
    if not planned:
        return ExperimentReport(0, 0)
    con.execute("create or replace temp table experiment_controls (experiment varchar, control varchar, ends_on date)")
    con.executemany("insert into experiment_controls values ($1, $2, $3)", planned)
    con.execute(read_sql("evaluation/experiment_moments.sql"))
    measured = lifts(_moments(con, "variant"), _moments(con, "control"))
    store(con, "measured_lifts", {"pair": np.arange(len(measured.lift)), **vars(measured)})
    con.execute(read_sql("evaluation/experiment_lifts.sql"))
    (counts,) = con.execute(
        "select count(distinct experiment), count(*) from ops.experiment_lifts where run_id = $1", [night.run_id]
    ).fetchall()
    return ExperimentReport(*counts)


def _moments(con: duckdb.DuckDBPyConnection, side: str) -> Moments:
    """The sums of the variants, or of their controls, pair by pair."""
    sums = ", ".join(field.name for field in fields(Moments))
    return Moments(
        **arrays(
            con,
            f"""select {sums}
            from experiment_pairs as pairs
            join experiment_moments as moments
                on moments.experiment = pairs.experiment
                and moments.metric = pairs.metric
                and moments.variant = pairs.{side}
            order by pair""",
        )
    )
