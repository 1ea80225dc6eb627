"""Ids and moments: how the world's numbers read in a feed, and back."""

from __future__ import annotations

from datetime import datetime, time

import numpy as np
import polars as pl
from numpy.typing import NDArray

from warehouse.sources.demo_shop.decisions import refuse_unknown
from warehouse.sources.demo_shop.sizes import Size

CURRENCY = "EUR"
TIME_ZONE = "Europe/Berlin"
# Kind -> letters before the number, and the digits.
_FORMATS = {"user": ("U", 7), "product": ("P", 6), "order": ("O", 9), "line": ("L", 10), "ticket": ("T", 8),
            "site": ("S", 2), "brand": ("B", 4), "supplier": ("V", 4), "purchase": ("PL", 9), "campaign": ("C", 3)}  # fmt: skip


def ids(kind: str, numbers: NDArray[np.integer]) -> pl.Series:
    """The ids of these numbers; empty where a number is negative."""
    prefix, digits = _FORMATS[kind]
    number = pl.Series(np.asarray(numbers, np.int64))
    text = pl.lit(prefix) + pl.col("number").cast(pl.String).str.zfill(digits)
    return pl.DataFrame({"number": number}).select(pl.when(pl.col("number") >= 0).then(text)).to_series()


def numbers(kind: str, values: pl.Series, count: int, part: str) -> NDArray[np.int64]:
    """The numbers of these ids, 0 to `count` - 1; DecisionError when one names nothing."""
    prefix, _ = _FORMATS[kind]
    number = values.str.strip_prefix(prefix).cast(pl.Int64, strict=False).fill_null(-1)
    number = number.set(number >= count, -1)
    is_known = (number >= 0) & (ids(kind, number.to_numpy()) == values).fill_null(False)
    refuse_unknown(part, f"{kind}_id", values.filter(~is_known).unique().to_list())
    return number.to_numpy()


def moments(size: Size, seconds: NDArray[np.integer]) -> pl.Series:
    """UTC moments of seconds on the shop's clock, counted from the midnight before its first day; empty if negative
    by a year or more."""
    midnight = datetime.combine(size.first_day, time())
    second = pl.Series("second", np.asarray(seconds, np.int64))
    local = pl.lit(midnight).dt.cast_time_unit("us") + pl.duration(seconds="second")
    utc = (
        local.dt.replace_time_zone(TIME_ZONE, ambiguous="earliest", non_existent="null")
        .dt.convert_time_zone("UTC")
        .dt.replace_time_zone(None)
    )
    return second.to_frame().select(pl.when(pl.col("second") > NEVER_SECOND).then(utc)).to_series()


NEVER_SECOND = -(10**9)


def dates(size: Size, days: NDArray[np.integer]) -> pl.Series:
    """Dates of days counted from the first."""
    first = np.datetime64(size.first_day, "D")
    return pl.Series(first + np.asarray(days, np.int64))


def money(cents: NDArray[np.integer]) -> pl.Series:
    """EUR of cents."""
    return pl.Series(np.asarray(cents, np.int64) / 100)
