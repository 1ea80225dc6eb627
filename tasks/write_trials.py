"""What tuning found, into the diary."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

import duckdb
import polars as pl
from polars._typing import PolarsDataType

from tasks.tuning_study import Record
from tasks.write_rows import append
from warehouse.connect import transaction

_SCHEMA: dict[str, PolarsDataType] = {
    "study": pl.String,
    "trial_number": pl.Int64,
    "run_id": pl.String,
    "state": pl.String,
    "is_in_use": pl.Boolean,
    "value": pl.Float64,
    "task_losses_json": pl.String,
    "parameters_json": pl.String,
    "detail": pl.String,
    "seconds": pl.Float64,
    "started_at": pl.Datetime("us"),
}


def write_trials(con: duckdb.DuckDBPyConnection, study: str, run_id: str, records: Sequence[Record]) -> None:
    """Fill ops.tuning_trials with all trials of the study, also those that an earlier run could not write."""
    rows = pl.DataFrame([_row(study, run_id, record) for record in records], schema=_SCHEMA, orient="row")
    with transaction(con):
        con.execute("delete from ops.tuning_trials where study = $1", [study])
        append(con, "ops.tuning_trials", rows)


def write_gains(con: duckdb.DuckDBPyConnection, run_id: str, gains: Mapping[tuple[str, str], float]) -> None:
    """Fill ops.task_interactions.gain_over_single of the night; what is known of its pairs otherwise stays."""
    rows = pl.DataFrame(
        [(run_id, task, other, gain) for (task, other), gain in gains.items()],
        schema={"run_id": pl.String, "task": pl.String, "other_task": pl.String, "gain_over_single": pl.Float64},
        orient="row",
    )
    con.register("gains", rows.to_arrow())
    con.execute(
        """
        merge into ops.task_interactions as known using gains using (run_id, task, other_task)
        when matched then update set gain_over_single = gains.gain_over_single
        when not matched then insert by name
        """
    )
    con.unregister("gains")


def _row(study: str, run_id: str, record: Record) -> tuple[object, ...]:
    return (
        study,
        record.number,
        run_id,
        record.state,
        record.is_in_use,
        record.value,
        json.dumps(record.losses),
        json.dumps(record.parameters),
        record.detail or None,
        record.seconds,
        record.started_at,
    )
