"""How the policies of a simulation fared: a table, the days behind it, and a chart."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import polars as pl
import polars.selectors as cs

from flows.simulate_chart import line_chart
from warehouse.sources.demo_shop.landing import write_whole
from warehouse.sources.demo_shop.spec import ShopSpec
from warehouse.sources.demo_shop.truth import read_ledger
from warehouse.whole_text import write_text_whole


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """`table`: one row per policy; `ledgers`: one row per policy and day; money in EUR. `files` hold the same, and the
    chart of the profit."""

    table: pl.DataFrame
    ledgers: pl.DataFrame
    files: tuple[Path, ...]


def compare(folder: Path, spec: ShopSpec, policies: Sequence[str], first_day: date, end: date) -> Comparison:
    """Compare what the policies' shops wrote on the days from `first_day` to the one before `end`."""
    ledgers = pl.concat(_ledger(folder / policy, policy, spec, first_day, end) for policy in policies)
    table = _table(ledgers)
    files = {"comparison.csv": table, "ledgers.parquet": ledgers}
    for name, rows in files.items():
        write_whole(rows, folder / name)
    chart = folder / "profit.svg"
    write_text_whole(_chart(spec, ledgers), chart)
    return Comparison(table=table, ledgers=ledgers, files=(*(folder / name for name in files), chart))


def gap_closed(profits: dict[str, float], policy: str) -> float | None:
    """(policy - rules) / (oracle - rules) of profits; None where one of them was not lived, or so few days that the
    oracle, which plans ahead, is not yet better than the rules: then there is no gap."""
    if not {"rules", "oracle", policy} <= profits.keys() or profits["oracle"] <= profits["rules"]:
        return None
    return (profits[policy] - profits["rules"]) / (profits["oracle"] - profits["rules"])


def _ledger(home: Path, policy: str, spec: ShopSpec, first_day: date, end: date) -> pl.DataFrame:
    """The days of one policy, each with `is_without_night`: a gate stopped the night before it."""
    days = read_ledger(spec.truth(home)).filter(pl.col("date").is_between(first_day, end, closed="left"))
    notes = (home / "nights").glob("*.json")
    stopped = [date.fromisoformat(note.stem) for note in notes if json.loads(note.read_text())["status"] == "stopped"]
    return days.select(
        pl.lit(policy).alias("policy"), pl.all(), pl.col("date").is_in(stopped).alias("is_without_night")
    )


def _table(ledgers: pl.DataFrame) -> pl.DataFrame:
    table = ledgers.group_by("policy", maintain_order=True).agg(
        pl.len().alias("nights"),
        pl.sum("profit", "revenue"),
        fill_ratio=pl.sum("served_units") / pl.sum("demanded_units"),
        stockout_product_days=pl.sum("stockout_product_days").cast(pl.Int64),
        holding_cost=pl.sum("holding_cost"),
        waste_cost=pl.sum("waste_cost"),
        contacts=pl.sum("contacts").cast(pl.Int64),
        waiting_minutes=(pl.col("mean_waiting_minutes") * pl.col("contacts")).sum() / pl.sum("contacts"),
        list_hit_ratio=pl.sum("list_hits") / pl.sum("list_impressions"),
        nights_stopped=pl.sum("is_without_night"),
    )
    profits = dict(table.select("policy", "profit").iter_rows())
    shares = [gap_closed(profits, policy) for policy in table["policy"]]
    # Nobody waited where nobody asked.
    return table.with_columns(cs.float().fill_nan(None), pl.Series("gap_closed", shares, dtype=pl.Float64))


def _chart(spec: ShopSpec, ledgers: pl.DataFrame) -> str:
    """Profit so far of each policy, beyond that of the rules where they were lived."""
    wide = ledgers.pivot("policy", index="date", values="profit", maintain_order=True).sort("date")
    policies = [name for name in wide.columns if name != "date"]
    base = wide["rules"].cum_sum().to_numpy() if "rules" in policies else 0.0
    return line_chart(
        f"Demo shop {spec.size.name}, seed {spec.seed}: profit since {wide['date'][0]}",
        "EUR more than under rules" if "rules" in policies else "EUR",
        wide["date"].cast(pl.String).to_list(),
        {name: wide[name].cum_sum().to_numpy() - base for name in policies},
    )
