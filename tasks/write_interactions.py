"""How the tasks shared what they learned, into the diary."""

from __future__ import annotations

from collections.abc import Mapping

import duckdb
import polars as pl

from mtl_models.interactions import expert_shares, learned_correlations
from mtl_models.model import JointModel, Rows
from mtl_models.samples import Entities
from tasks.night import Night
from tasks.write_rows import replace_night

Pairs = Mapping[tuple[str, str], float]


def write_interactions(
    con: duckdb.DuckDBPyConnection, night: Night, model: JointModel, cosines: Pairs, entities: Entities, rows: Rows
) -> None:
    """Fill ops.task_interactions, and ops.expert_shares from what the gates choose for `rows`."""
    tasks = {"run_id": pl.String, "task": pl.String, "other_task": pl.String}
    between = _frame(night.run_id, "gradient_cosine", cosines, tasks)
    learned = _frame(night.run_id, "learned_correlation", learned_correlations(model), tasks)
    joined = between.join(learned, on=list(tasks), how="full", coalesce=True)
    replace_night(con, "ops.task_interactions", joined, night.run_id)

    experts = {"run_id": pl.String, "task": pl.String, "expert": pl.String}
    shares = _frame(night.run_id, "share", expert_shares(model, entities, rows), experts)
    replace_night(con, "ops.expert_shares", shares, night.run_id)


def _frame(run_id: str, value: str, pairs: Pairs, key: Mapping[str, type[pl.DataType]]) -> pl.DataFrame:
    """One row per pair."""
    rows = [(run_id, first, second, number) for (first, second), number in pairs.items()]
    return pl.DataFrame(rows, schema={**key, value: pl.Float64}, orient="row")
