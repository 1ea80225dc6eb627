"""Predict the nights to come: every head that may serve, for every entity, into schema `predicted`."""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass

import duckdb
import polars as pl
import torch
from torch import Tensor

from mtl_models.elasticity import is_identified, standard_error
from mtl_models.heads import TASKS
from mtl_models.model import product_ids
from tasks.engine import Part, engine_of
from tasks.night import Night
from tasks.read_samples import Frames, read_frames, read_keys, sample_tables
from tasks.serving import ServingModel, choose_serving
from tasks.write_rows import append, create

Columns = dict[str, pl.Series | pl.Expr]

# What each predicted table keeps of its sample rows.
KEPT = {
    "profile": "user_id",
    "recommendation": "user_id, product_id, is_new, source",
    "product_quality": "product_id",
    "demand": """product_id, site_id, calendar_date as week_start, horizon, price_assumed, is_priced,
        ctx_display + ctx_mailer + ctx_other_promotion > 0 as is_promoted""",
    "promotion": "user_id, campaign_id",
    "service_orders": "order_id",
    "service_days": "forecast_date, channel, contact_reason",
    "service_tickets": "ticket_id, is_missed_by_now",
}
# Columns of a table that a part with a gate of its own fills.
OPTIONAL = {"promotion": ("order_probability", "uplift")}


@dataclass(frozen=True)
class PredictionReport:
    """Rows written to each table of schema `predicted`."""

    rows: dict[str, int]

    def __str__(self) -> str:
        return ", ".join(f"{table} {rows:,} rows" for table, rows in self.rows.items()) or "no head may serve"


def predict_heads(con: duckdb.DuckDBPyConnection, night: Night) -> PredictionReport:
    """Write schema `predicted` anew, by the models that ops.head_status names; heads that none serves have no table.

    A head whose champion serves is predicted by the champion, from tonight's features, and flagged `is_fallback`.
    """
    con.execute("drop schema if exists predicted cascade")
    con.execute("create schema predicted")
    rows: dict[str, int] = {}
    for table, part in predict_tables(con, night):
        (append if table in rows else create)(con, f"predicted.{table}", part)
        rows[table] = rows.get(table, 0) + len(part)
    return PredictionReport(rows)


def predict_tables(
    con: duckdb.DuckDBPyConnection, night: Night, only: Container[str] | None = None
) -> Iterator[tuple[str, pl.DataFrame]]:
    """(table, predicted rows) from the samples to serve, of the tables given, else of all that a model serves; a large
    table comes in several parts."""
    served, known = choose_serving(con, night), sample_tables(con)
    predicted = dict.fromkeys(TASKS[choice.task].table for choice in served)
    tables = [table for table in predicted if (only is None or table in only) and "serve" in known[table]]
    with engine_of(night) as engine:
        parts = [part for table in tables for part in engine.parts(table, known[table]["serve"])]
        for table, rows in engine.predict(con, served, parts):
            if len(rows):
                yield table, rows


def predict_part(con: duckdb.DuckDBPyConnection, serving: Mapping[str, ServingModel], part: Part) -> pl.DataFrame:
    """The predicted rows of the part."""
    table = part.table
    frames = read_frames(con, [table], ("serve",), only={table: part.predicate})
    if "serve" not in frames.samples[table]:
        return pl.DataFrame()
    columns = _demand(serving, frames) if table == "demand" else _columns(serving, frames, table)
    return _keys(con, frames, table).with_columns(**columns)


def _keys(con: duckdb.DuckDBPyConnection, frames: Frames, table: str) -> pl.DataFrame:
    keys = read_keys(con, table, "serve", KEPT[table], frames.choice.only)
    if len(keys) != len(frames.samples[table]["serve"]):
        raise RuntimeError(f"samples.{table} changed while it was predicted; run the night again")
    return keys


def _columns(serving: Mapping[str, ServingModel], frames: Frames, table: str) -> Columns:
    """Predicted columns of a table, from each of its tasks that is served; those of an optional one are empty else."""
    tasks = [task for task in serving if TASKS[task].table == table]
    columns: Columns = {name: pl.lit(None, pl.Float64) for name in OPTIONAL.get(table, ())}
    for task in tasks:
        columns |= _series(serving[task].score(frames, "serve", (task,)).predictions[task])
    return columns | _made_by(serving[tasks[0]])


def _demand(serving: Mapping[str, ServingModel], frames: Frames) -> Columns:
    """Units from the model that serves supply, slopes from the one that serves pricing: as a rule the same model
    and its one curve. Where only one of the heads may serve, its model fills the whole table."""
    levels = serving.get("supply") or serving["pricing"]
    slopes = serving.get("pricing") or levels
    units = levels.score(frames, "serve", ("supply",))
    elasticity = slopes.score(frames, "serve", ("supply",)) if slopes is not levels else units
    curve = slopes.model.curve
    if curve is None:
        raise RuntimeError(f"model {slopes.saved.model_version} serves demand but has no demand curve; train again")
    products = product_ids(elasticity.entities, elasticity.rows["demand"])
    slope, spread = elasticity.predictions["supply"]["elasticity"], curve.own_spread[products]
    rows = units.rows["demand"]
    sold = rows.baselines["units_13w_p95"] > 0
    evidence = pl.when(pl.Series((sold & (products > 0)).numpy())).then(pl.lit("own_history"))
    columns = units.predictions["supply"] | {
        "elasticity": slope,
        "elasticity_sd": standard_error(spread, slope),
        "is_elasticity_identified": is_identified(spread, curve.prior_spread) & (rows.inputs["is_priced"] > 0),
    }
    return _series(columns) | _made_by(levels) | {"evidence_level": evidence.otherwise(pl.lit("similar"))}


def _series(columns: Mapping[str, Tensor]) -> Columns:
    """Tensors [n] as numbers or flags, [n, k] as lists."""
    return {
        name: pl.Series(name, values.numpy() if values.dtype == torch.bool else values.double().numpy()).cast(
            pl.List(pl.Float64) if values.dim() == 2 else pl.Boolean if values.dtype == torch.bool else pl.Float64
        )
        for name, values in columns.items()
    }


def _made_by(model: ServingModel) -> Columns:
    return {"model_version": pl.lit(model.saved.model_version), "is_fallback": pl.lit(model.is_fallback)}
