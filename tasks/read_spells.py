"""The evidence of elasticities: features.price_spells as tensors."""

from __future__ import annotations

from datetime import date

import duckdb
import polars as pl
import torch
from torch import Tensor

from mtl_models.demand_curve import MOST_LOG_PRICE_RATIO
from mtl_models.elasticity import Spells
from mtl_models.preprocess import Vocabulary


def read_spells(con: duckdb.DuckDBPyConnection, products: Vocabulary, label_end_date: date) -> Spells:
    """Every spell that was over by `label_end_date`, of the products in the vocabulary."""
    rows = con.sql(
        """
        select * from features.price_spells
        where week_start + 7 <= $1
        order by product_id, week_start, log_price_ratio, ctx_display, ctx_mailer, ctx_other_promotion
        """,
        params=[label_end_date],
    ).pl()
    product = products.index(rows["product_id"])
    markets = rows.select(pl.struct("category", "week_start").rank("dense")).to_series()
    log_price = rows["log_price_ratio"].clip(-MOST_LOG_PRICE_RATIO, MOST_LOG_PRICE_RATIO)
    spells = Spells(
        units=_tensor(rows["units"]),
        exposure=_tensor(rows["exposure"]),
        log_price=_tensor(log_price),
        context=torch.stack([_tensor(rows[name]) for name in rows.columns if name.startswith("ctx_")], dim=1),
        products=product,
        categories=_tensor(rows["category"].rank("dense").fill_null(0)).long(),
        markets=_tensor(markets).long(),
    )
    return spells.take(product > 0)


def _tensor(column: pl.Series) -> Tensor:
    return torch.from_numpy(column.cast(pl.Float64).to_numpy().copy())
