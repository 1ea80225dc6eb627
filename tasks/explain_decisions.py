"""Explain: why the model says what the decisions rest on, in sentences."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache, partial

import duckdb
import polars as pl
import torch

from mtl_models.attribute import attribute
from tasks.explanations.reasons import Decisions, reasons
from tasks.explanations.subjects import SUBJECTS, Subject
from tasks.night import Night
from tasks.progress import report
from tasks.read_samples import entity_tensors, read_frames, read_keys, sample_tensors
from tasks.serving import ServingModel, load_serving
from tasks.write_rows import append
from warehouse.connect import read_sql
from warehouse.contracts.table import quote
from warehouse.validation.results import Result, record

# The name under which ops.quality_checks tells of explanations.
CHECKED = "explanations"


@dataclass(frozen=True)
class ExplanationReport:
    """Decisions explained, and the tables of which some, or all, are not."""

    explained: int
    warnings: int

    def __str__(self) -> str:
        warned = f", with a warning about {self.warnings} tables: see ops.quality_checks" if self.warnings else ""
        return f"{self.explained:,} decisions explained{warned}"


def explain_decisions(con: duckdb.DuckDBPyConnection, night: Night) -> ExplanationReport:
    """Fill ops.explanations anew: for the whole action queue and the top rows of each table, what moved the output of
    the model that they rest on.

    Nothing hangs on an explanation: where one fails, `ops.quality_checks` says so as a warning, and the night goes on.
    The table holds one night, as the decisions do, so that no erased user stays behind in it.
    """
    con.execute("delete from ops.explanations")
    con.execute("set variable explained_rows = $1", [night.explanations.rows_per_table])
    con.execute("set variable explained_rows_each = $1", [night.explanations.rows_per_action])
    models = cache(partial(load_serving, con, night))
    explained, results = 0, []
    for i, subject in enumerate(SUBJECTS):
        report(f"explaining {subject.table}", i / len(SUBJECTS))
        try:
            chosen = _choose(con, subject)
            found = _explain(con, night, subject, models()[subject.task]) if chosen else pl.DataFrame()
        except Exception as error:  # whatever it is, the release does not wait for it
            results.append(_result(subject, 0, 0, f"{type(error).__name__}: {error}"))
            continue
        append(con, "ops.explanations", found)
        complete = _count(found)
        explained += complete
        results.append(_result(subject, chosen, chosen - complete))
    record(con, night.run_id, results)
    return ExplanationReport(explained, sum(not result.is_passed for result in results))


def _choose(con: duckdb.DuckDBPyConnection, subject: Subject) -> int:
    """Temporary table explained_rows: each decision with the keys of its sample rows. Decisions chosen."""
    con.execute(f"create or replace temp table explained_rows as {read_sql(f'explanations/{subject.table}.sql')}")
    counted = con.execute("select count(distinct (table_name, object_id)) from explained_rows").fetchone()
    return int(counted[0]) if counted else 0


def _explain(con: duckdb.DuckDBPyConnection, night: Night, subject: Subject, serving: ServingModel) -> pl.DataFrame:
    """Rows of ops.explanations for the decisions in explained_rows."""
    table, key = subject.sample_table, ", ".join(quote(name) for name in subject.key)
    only = {table: f"({key}) in (select ({key}) from temp.explained_rows)"}
    frames = read_frames(con, [table], ("serve",), only=only)
    preprocessing = serving.saved.preprocessing
    rows = sample_tensors(frames, preprocessing, "serve")[table]
    untold = {name: torch.full_like(rows.inputs[name], torch.nan) for name in subject.untold}
    told = replace(rows, inputs={**rows.inputs, **untold})
    found = attribute(serving.model, entity_tensors(frames, preprocessing), told, subject.task, subject.output)
    decisions = _decisions(con, read_keys(con, table, "serve", key, only), key)
    return reasons(subject, decisions, frames, found, night.currency).with_columns(run_id=pl.lit(night.run_id))


def _decisions(con: duckdb.DuckDBPyConnection, keys: pl.DataFrame, key: str) -> Decisions:
    """The decisions of explained_rows, and which of the sample rows with these keys [rows] each rests on."""
    chosen = con.sql(f"select distinct table_name, object_id, {key} from temp.explained_rows").pl()
    pairs = chosen.join(keys.with_row_index("row"), on=keys.columns).sort("table_name", "object_id", "row")
    named = pairs.select("table_name", "object_id").unique(maintain_order=True)
    numbered = pairs.join(named.with_row_index("decision"), on=named.columns, maintain_order="left")
    decision, row = (torch.from_numpy(numbered[name].cast(pl.Int64).to_numpy().copy()) for name in ("decision", "row"))
    return Decisions(named, decision, row)


def _count(found: pl.DataFrame) -> int:
    """Decisions whose credits add up."""
    complete = found.filter("is_complete") if len(found) else found
    return complete.select("table_name", "object_id").n_unique() if len(complete) else 0


def _result(subject: Subject, chosen: int, broken: int, error: str | None = None) -> Result:
    return Result(
        table_name=CHECKED,
        rule=subject.table,
        meaning=f"decisions about {subject.measure.words} are explained, and the credits add up to within 5%",
        severity="warning",
        scope="row",
        is_passed=not broken and error is None,
        rows_checked=chosen,
        rows_broken=broken,
        detail=error,
    )
