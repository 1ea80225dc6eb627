"""Predictions of the measured window in the columns that scorers outside this project read, a Parquet file each."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from pathlib import Path

import duckdb
import polars as pl

from tasks.read_samples import read_keys
from tasks.score_heads import Answers

# Whole weeks are counted from here.
FIRST_WEEK = date(2017, 1, 2)


def export(con: duckdb.DuckDBPyConnection, answers: Mapping[str, Answers], folder: Path) -> list[Path]:
    """Write every task that was answered; returns the files."""
    folder.mkdir(parents=True, exist_ok=True)
    files = []
    for task, columns in COLUMNS.items():
        if task in answers:
            files.append(folder / f"{task}.parquet")
            columns(con, answers[task]).write_parquet(files[-1])
    return files


def _profile(con: duckdb.DuckDBPyConnection, answers: Answers) -> pl.DataFrame:
    """uid, pred_spend, p_buy28, p_buy7, share_<CATEGORY>."""
    names = con.execute("select category from features.categories order by category_index").fetchall()
    shares = answers.predicted["category_shares"]
    return read_keys(con, "profile", "test", "user_id as uid").select(
        pl.col("uid").cast(pl.Int64),
        pred_spend=pl.Series(answers.predicted["expected_revenue_28d"]),
        p_buy28=pl.Series(answers.predicted["order_probability_28d"]),
        p_buy7=pl.Series(answers.predicted["order_probability_7d"]),
        **{f"share_{name}": pl.Series(shares[:, i]) for i, (name,) in enumerate(names)},
    )


def _recommendation(con: duckdb.DuckDBPyConnection, answers: Answers) -> pl.DataFrame:
    """uid, pid, score of every candidate."""
    keys = read_keys(con, "recommendation", "test", "user_id as uid, product_id as pid")
    return keys.cast(pl.Int64).with_columns(score=pl.Series(answers.predicted["score"]))


def _pricing(con: duckdb.DuckDBPyConnection, answers: Answers) -> pl.DataFrame:
    """pid, week, pred_units, of the products whose price response is measured."""
    rows = _weeks(con).with_columns(
        pred_units=pl.Series(answers.predicted["units"]), kept=pl.Series(answers.inputs["is_price_test"] > 0)
    )
    return rows.filter("kept").drop("kept")


def _supply(con: duckdb.DuckDBPyConnection, answers: Answers) -> pl.DataFrame:
    """pid, week, q0.1, q0.5, q0.9, q0.95 and the mean."""
    quantiles = {"q0.1": "p10", "q0.5": "p50", "q0.9": "p90", "q0.95": "p95", "mean": "mean"}
    return _weeks(con).with_columns(
        **{name: pl.Series(answers.predicted[f"demand_units_{column}"]) for name, column in quantiles.items()}
    )


def _promotion(con: duckdb.DuckDBPyConnection, answers: Answers) -> pl.DataFrame:
    """uid, campaign_id, p_redeem."""
    keys = read_keys(con, "promotion", "test", "user_id as uid, campaign_id")
    return keys.cast(pl.Int64).with_columns(p_redeem=pl.Series(answers.predicted["redemption_probability"]))


def _weeks(con: duckdb.DuckDBPyConnection) -> pl.DataFrame:
    keys = read_keys(con, "demand", "test", "product_id as pid, calendar_date")
    week = ((pl.col("calendar_date") - FIRST_WEEK).dt.total_days() // 7).cast(pl.Int32)
    return keys.select(pl.col("pid").cast(pl.Int64), week=week)


COLUMNS: dict[str, Callable[[duckdb.DuckDBPyConnection, Answers], pl.DataFrame]] = {
    "profile": _profile,
    "recommendation": _recommendation,
    "pricing": _pricing,
    "supply": _supply,
    "promotion": _promotion,
}
