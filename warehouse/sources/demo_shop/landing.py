"""What the shop's systems write: a file per feed and day, each complete from the moment that it has its name.

`orders/2026-03-01.parquet` has what orders brought on that day; `behaviour_events/2026-03-03-late-2026-03-01.parquet`
has rows of an earlier day that were held up. A late file sorts before the day's own, so that newer rows win.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import date
from pathlib import Path, PurePosixPath

import polars as pl

from warehouse.contracts import feed as feed_named

# What people keep by hand comes as CSV, what the service desk exports as NDJSON, the rest as Parquet.
FORMATS = {
    "sites": "csv",
    "suppliers": "csv",
    "campaigns": "csv",
    "pricing_rules": "csv",
    "recommendation_rules": "csv",
    "inventory_policies": "csv",
    "service_policies": "csv",
    "head_priorities": "csv",
    "service_tickets": "ndjson",
}


def is_text(feed: str) -> bool:
    """Whether the feed lands in a format without types."""
    return feed in FORMATS


def land(folder: Path, feeds: Mapping[str, pl.DataFrame], day: date, *, late_from: date | None = None) -> None:
    """Write the rows of each feed that land on the day; a feed without rows writes nothing."""
    name = f"{day}-late-{late_from}" if late_from else f"{day}"
    for feed, rows in feeds.items():
        if len(rows):
            write_whole(_exact_money(feed, rows), folder / feed / f"{name}.{FORMATS.get(feed, 'parquet')}")


def _exact_money(feed: str, rows: pl.DataFrame) -> pl.DataFrame:
    """Money as decimals, as the systems of a shop keep it."""
    money = [column.name for column in feed_named(feed).columns if column.type == "DECIMAL(18,4)"]
    return rows.with_columns(pl.col(name).cast(pl.Decimal(18, 4)) for name in money if name in rows.columns)


def landed_on(input_name: str) -> date:
    """The day on which the file of this name landed."""
    return date.fromisoformat(PurePosixPath(input_name).name[:10])


def write_whole(rows: pl.DataFrame, path: Path) -> None:
    """Write the rows aside and give the file its name when it is complete. The same rows give the same bytes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(f".{path.name}")
    if path.suffix == ".csv":
        rows.write_csv(aside)
    elif path.suffix == ".ndjson":
        rows.write_ndjson(aside)
    else:
        rows.write_parquet(aside, compression="zstd", compression_level=1)
    os.replace(aside, path)  # noqa: PTH105 - Path.replace says the same less clearly
