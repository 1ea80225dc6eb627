"""A night's samples as plain matrices: the very features that the joint model reads, for models of one task."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import duckdb
import numpy as np
import polars as pl
from numpy.typing import NDArray

from mtl_models.heads import TASKS
from tasks.read_samples import ENTITIES, Frames, read_frames
from tasks.serving import measured_window

FOLDS = ("train", "validation", "test")
# Numbers of a sample row that are no features.
NO_FEATURES = ("label_", "slot_", "list_number", "sample_weight", "is_offered")
# What a forecast cannot know: the price of that week. That no price was seen gives away that nothing was sold.
HIDDEN = {"supply": ("price", "list_price", "is_price_seen", "log_price_ratio", "depth"), "pricing": ("is_price_seen",)}
OVER_USUAL = "_over_8w"


@dataclass(frozen=True)
class Design:
    """`features` [n, k] of each fold, words as codes; `categories` are the indexes of these. `rows` are the samples."""

    names: list[str]
    features: dict[str, NDArray[np.float32]]
    categories: list[int]
    rows: dict[str, pl.DataFrame]


def read_design(con: duckdb.DuckDBPyConnection, task: str, *, knows_plan: bool = True) -> Design:
    """Every row that the night trains, validates and measures the task on, by the night's own rules: no training label
    ends inside the measured window. Without the plan, nothing tells of the promotions ahead."""
    table = TASKS[task].table
    measured_from, _ = measured_window(con, table)
    learned = read_frames(con, [table], ("train", "validation"), label_end_date=measured_from)
    measured = read_frames(con, [table], ("test",))
    rows = {fold: (measured if fold == "test" else learned).samples[table][fold] for fold in FOLDS}
    described = {fold: _described(measured if fold == "test" else learned, rows[fold]) for fold in FOLDS}
    hidden = [*HIDDEN.get(task, ()), *(() if knows_plan else _told_by_the_plan(described["test"]))]
    return as_design({fold: part.drop(hidden) for fold, part in described.items()}, rows)


def as_design(described: Mapping[str, pl.DataFrame], rows: dict[str, pl.DataFrame]) -> Design:
    """What describes the rows of each fold, as matrices."""
    every = pl.concat([described[fold] for fold in FOLDS], how="vertical_relaxed")
    words = [name for name, kind in every.schema.items() if kind == pl.String]
    codes = every.with_columns(pl.col(words).rank("dense").cast(pl.Float32))
    matrix = codes.select(pl.all().cast(pl.Float32).fill_null(float("nan"))).to_numpy()
    ends = np.cumsum([len(rows[fold]) for fold in FOLDS])[:-1]
    return Design(
        names=every.columns,
        features=dict(zip(FOLDS, np.split(matrix, ends), strict=True)),
        categories=[every.columns.index(name) for name in words],
        rows=rows,
    )


def without_plan(frames: Frames) -> Frames:
    """The measured weeks as if nothing were announced: promotions and price as usual in the eight weeks before."""
    rows = frames.samples["demand"]["test"]
    planned = _planned(rows)
    usual = {name: pl.col(name) - pl.col(name + OVER_USUAL) for name in planned}
    flat = {name + OVER_USUAL: pl.lit(0.0, pl.Float32) for name in planned}
    prices = {name: pl.col("reference_price") for name in ("price_assumed", "mean_price_assumed")}
    rows = rows.with_columns(**usual, **flat, **prices, ctx_other_promotion=pl.lit(0.0, pl.Float32))
    return replace(frames, samples=frames.samples | {"demand": frames.samples["demand"] | {"test": rows}})


def _planned(rows: pl.DataFrame) -> list[str]:
    """Columns about promotions ahead, each of which has another beside it: how far it is over the usual."""
    return [name.removesuffix(OVER_USUAL) for name in rows.columns if name.endswith(OVER_USUAL)]


def _told_by_the_plan(described: pl.DataFrame) -> list[str]:
    ahead = [f"{name}{suffix}" for name in _planned(described) for suffix in ("", OVER_USUAL)]
    return [*ahead, "ctx_other_promotion", "price_assumed", "mean_price_assumed", "log_price_assumed_ratio"]


def _described(frames: Frames, rows: pl.DataFrame) -> pl.DataFrame:
    """[n] rows with what is known of the entities that they name; lists as columns, prices as ratios too."""
    own = _flat(rows.select(name for name in rows.columns if not name.startswith(NO_FEATURES)))
    parts = [own, own.select(**_price_ratios(own.columns))]
    for slot, entity in frames.entities.items():
        if entity.is_empty():
            continue
        ids = ENTITIES[slot].id_name
        features = entity.drop(ids) if ids else entity
        features = features.rename({name: f"{slot} {name}" for name in features.columns}).with_row_index("row")
        named = rows.select(row=pl.col(f"slot_{slot}"))
        parts.append(
            named.join(features.cast({"row": pl.Int64}), on="row", how="left", maintain_order="left").drop("row")
        )
    return pl.concat(parts, how="horizontal")


def _flat(rows: pl.DataFrame) -> pl.DataFrame:
    lists = [name for name, kind in rows.schema.items() if kind == pl.List]
    sizes = {name: int(rows[name].list.len().max() or 0) for name in lists}
    items = [pl.col(name).list.get(i).alias(f"{name}_{i}") for name in lists for i in range(sizes[name])]
    return rows.with_columns(items).drop(lists)


def _price_ratios(columns: list[str]) -> Mapping[str, pl.Expr]:
    if "reference_price" not in columns:
        return {}
    reference = pl.col("reference_price")
    return {
        "log_price_ratio": (pl.col("price") / reference).log(),
        "log_price_assumed_ratio": (pl.col("mean_price_assumed") / reference).log(),
        "depth": 1 - pl.col("price") / pl.col("list_price"),
    }
