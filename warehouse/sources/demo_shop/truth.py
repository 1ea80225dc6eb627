"""What really is: written beside the landing folder, for those who judge what was learned, and for nobody else.

`<name>/<day>.parquet` is true of a day (`planted`: the dirt of that day's files), `<name>.parquet` of the shop's
entities, `ledger/<day>.json` is the day's money and service. `world/` is the state from which the shop lives on.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from warehouse.sources.demo_shop.landing import write_whole
from warehouse.whole_text import write_text_whole

if TYPE_CHECKING:
    from warehouse.sources.demo_shop.world import Day


def write_day(folder: Path, day: Day, planted: pl.DataFrame) -> None:
    """Write what is true of the day. The ledger comes last: a day that has one is written completely."""
    for name, rows in (day.truth | {"planted": planted}).items():
        if len(rows):
            write_whole(rows, folder / name / f"{day.date}.parquet")
    write_text_whole(json.dumps(day.ledger, indent=1) + "\n", folder / "ledger" / f"{day.date}.json")


def write_entities(folder: Path, truth: Mapping[str, pl.DataFrame]) -> None:
    """Write what is true of the shop's entities."""
    for name, rows in truth.items():
        write_whole(rows, folder / f"{name}.parquet")


def read_ledger(folder: Path) -> pl.DataFrame:
    """One row per lived day: `date` and the figures of its ledger, oldest first."""
    files = sorted((folder / "ledger").glob("*.json"))
    return pl.DataFrame([{"date": date.fromisoformat(file.stem), **json.loads(file.read_text())} for file in files])


def lived_until(folder: Path) -> date | None:
    """The day after the last one that is written completely; None before the first."""
    days = [date.fromisoformat(file.stem) for file in (folder / "ledger").glob("*.json")]
    return max(days) + timedelta(days=1) if days else None
