"""Ids and moments: how the world's numbers read in a feed, and back."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from functools import cache

import numpy as np
import polars as pl
from numpy.typing import NDArray

from warehouse.sources.demo_shop.arrays import Flags, Ints
from warehouse.sources.demo_shop.decisions import refuse_unknown
from warehouse.sources.demo_shop.sizes import FIRST_DAY

CURRENCY = "EUR"
TIME_ZONE = "Europe/Berlin"
A_DAY = 24 * 3600
# A moment that is not known yet, or never comes.
UNKNOWN = -(10**12)
# Kind -> letters of the id and what its numbers start from, so that ids of a kind are equally long.
_FORMATS = {
    "user": ("U", 10**7),
    "product": ("P", 10**6),
    "order": ("O", 10**9),
    "line": ("L", 10**10),
    "ticket": ("T", 10**8),
    "site": ("S", 10),
    "brand": ("B", 10**4),
    "supplier": ("V", 10**4),
    "purchase": ("A", 10**9),
    "campaign": ("C", 10**3),
    "promotion": ("M", 10**5),
    "device": ("D", 0),
}
# Days around the first one for which a moment can be told.
_DAYS_BEFORE, _DAYS_AFTER = 1_000, 4_000


def ids(kind: str, numbers: Ints) -> pl.Series:
    """The ids of these numbers; empty where a number is negative."""
    letters, base = _FORMATS[kind]
    number = np.asarray(numbers, np.int64)
    return known(prefixed(letters, pl.Series(number + base).cast(pl.String)), number >= 0)


def prefixed(word: str, values: pl.Series) -> pl.Series:
    """The word and each value."""
    # A Series of one value: a plain word in front would start a query for each column.
    return pl.Series([word]) + values


def numbers(kind: str, values: pl.Series, count: int, part: str) -> Ints:
    """The numbers of these ids, 0 to `count` - 1; DecisionError when one names nothing."""
    letters, base = _FORMATS[kind]
    number = values.str.strip_prefix(letters).cast(pl.Int64, strict=False).fill_null(-1).to_numpy() - base
    number = np.where(number < count, number, -1)
    is_known = (ids(kind, number) == values).fill_null(False)
    refuse_unknown(part, f"{kind}_id", values.filter(~is_known).unique().to_list())
    return number


def known(values: pl.Series, where: Flags) -> pl.Series:
    """The values where they are known; empty elsewhere."""
    if where.all():
        return values
    return values.zip_with(pl.Series(where), pl.Series([None], dtype=values.dtype).new_from_index(0, len(values)))


def moments(seconds: Ints) -> pl.Series:
    """UTC moments of seconds on the shop's local clock, counted from the midnight before its first day; empty where
    UNKNOWN. IndexError for a moment that is years away."""
    second = np.asarray(seconds, np.int64)
    is_known = second != UNKNOWN
    hour = np.where(is_known, second // 3600, 0) + _DAYS_BEFORE * 24
    utc = np.datetime64(FIRST_DAY, "us") + (second - _utc_offsets()[hour]).astype("timedelta64[s]")
    return pl.Series(np.where(is_known, utc, np.datetime64("NaT", "us")))


@cache
def _utc_offsets() -> Ints:
    """Seconds that the local clock is ahead of UTC, for every hour of local time around the first day."""
    midnight = datetime.combine(FIRST_DAY, time())
    local = pl.datetime_range(
        midnight - timedelta(days=_DAYS_BEFORE), midnight + timedelta(days=_DAYS_AFTER), "1h", eager=True
    )
    # The hour that a clock skips in spring has no moment; nothing happens in it, whatever its offset.
    there = local.dt.replace_time_zone(TIME_ZONE, ambiguous="earliest", non_existent="null")
    ahead = local - there.dt.convert_time_zone("UTC").dt.replace_time_zone(None)
    return ahead.dt.total_seconds().forward_fill().to_numpy().astype(np.int64)


def dates(days: Ints) -> pl.Series:
    """Dates of days counted from the first."""
    return pl.Series(np.datetime64(FIRST_DAY, "D") + np.asarray(days, np.int64))


def money(cents: Ints) -> pl.Series:
    """EUR of cents."""
    return pl.Series(np.asarray(cents, np.int64) / 100)


def words(text: tuple[str, ...], number: NDArray[np.generic]) -> pl.Series:
    """The words of these numbers."""
    return pl.Series(text)[pl.Series(np.asarray(number).astype(np.uint32))]


def always(value: str, count: int) -> pl.Series:
    """The same word again and again."""
    return pl.Series([value]).new_from_index(0, count)
