"""What one night learns of the demo shop, beside what is true there.

python benchmarks/bench_recovery.py [SEED ...]        seeds 1, 2 and 3 unless you name others

Each shop lives its history, one whole night runs on it, and then the shop lives four more weeks under its own habits:
what is measured is the future of that night, which no table of it had seen. Nothing is read from `truth/` before the
night is over. Last line: one JSON object.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from pathlib import Path

import duckdb
import polars as pl

from flows.environment import set_defaults
from flows.settings import load_settings
from mtl_models import metrics
from warehouse.connect import open_memory
from warehouse.contracts.table import literal
from warehouse.sources.demo_shop.life import Life
from warehouse.sources.demo_shop.spec import ShopSpec

DAYS_AFTER = 28
QUERIES = Path(__file__).parent / "recovery_sql"


@dataclass(frozen=True, kw_only=True)
class Found:
    """One figure of one shop. `floor` and `ceiling` are the target, None leaves that side open; `peer` is what the
    truth itself, or the naive method, scores."""

    name: str
    value: float
    floor: float | None = None
    ceiling: float | None = None
    peer: float | None = None
    count: int = 0

    @property
    def is_met(self) -> bool:
        return (self.floor is None or self.value >= self.floor) and (self.ceiling is None or self.value <= self.ceiling)


def main() -> None:
    set_defaults()
    seeds = [int(word) for word in sys.argv[1:]] or [1, 2, 3]
    found = {}
    for seed in seeds:
        with tempfile.TemporaryDirectory(prefix="fivefold-recovery-") as folder:
            found[seed] = recover(Path(folder), seed)
        print(f"\nseed {seed}")
        for one in found[seed]:
            target = " to ".join("" if bound is None else f"{bound:.3f}" for bound in (one.floor, one.ceiling))
            peer = "" if one.peer is None else f"{one.peer:.3f}"
            print(
                f"{one.name:<44}{one.value:>8.3f}{peer:>9}  target {target:<16}"
                f"{'met' if one.is_met else 'MISSED':<7} n={one.count:,}"
            )
    print(json.dumps({f"seed_{seed}": [asdict(one) for one in ones] for seed, ones in found.items()}))


def recover(home: Path, seed: int) -> list[Found]:
    """One shop's history, night and four more weeks; every figure of it."""
    from flows.tonight import run_night

    spec = ShopSpec.parse(f"small?seed={seed}")
    settings = load_settings(home=home, source=f"demo_shop:{spec.location}")
    outcome = run_night(settings, is_quiet=True)
    if outcome.status != "released":
        raise SystemExit(f"seed {seed}: {outcome.message}")
    as_of = spec.size.as_of_date
    life = Life(spec, home)
    with open_memory() as con:
        con.register("true_contacts", life.world.order_chances(DAYS_AFTER))
        con.register("true_purchases", life.world.purchase_chances(DAYS_AFTER))
        life.live_until(as_of + timedelta(days=DAYS_AFTER), lambda _message, _done: None)
        _attach(con, home, spec, as_of)
        measures: tuple[Callable[[duckdb.DuckDBPyConnection], list[Found]], ...] = (
            elasticities,
            contact_risks,
            purchases,
            scarce_demand,
            demand_quantiles,
            lead_times,
            quarantine,
        )
        return [one for measure in measures for one in measure(con)]


def _attach(con: duckdb.DuckDBPyConnection, home: Path, spec: ShopSpec, as_of: date) -> None:
    """The published file as `night`, the diary as `writer`, and views on what landed and what is true."""
    con.execute(f"attach {literal(str(home / 'published.duckdb'))} as night (read_only)")
    con.execute(f"attach {literal(str(home / 'warehouse.duckdb'))} as writer (read_only)")
    con.execute("set variable as_of_date = $1", [as_of])
    landing, truth = spec.landing(home), spec.truth(home)
    for view, reader in {
        "landed_orders": f"read_parquet({literal(f'{landing}/orders/**/*.parquet')}, union_by_name = true)",
        "landed_purchase_orders": f"read_parquet({literal(f'{landing}/purchase_order_lines/**/*.parquet')})",
        # As text: some of the dirt is moments that nobody can read.
        "landed_tickets": f"read_ndjson({literal(f'{landing}/service_tickets/**/*.ndjson')}, "
        "columns = {order_id: 'VARCHAR', created_at: 'VARCHAR'})",
        "true_products": f"read_parquet({literal(f'{truth}/products.parquet')})",
        "true_suppliers": f"read_parquet({literal(f'{truth}/suppliers.parquet')})",
        "true_demand": f"read_parquet({literal(f'{truth}/demand/*.parquet')})",
        "planted": f"read_parquet({literal(f'{truth}/planted/*.parquet')})",
    }.items():
        con.execute(f"create view {view} as from {reader}")


def _rows(con: duckdb.DuckDBPyConnection, name: str) -> pl.DataFrame:
    """The rows of recovery_sql/<name>.sql."""
    return con.sql((QUERIES / f"{name}.sql").read_text(encoding="utf-8")).pl()


def elasticities(con: duckdb.DuckDBPyConnection) -> list[Found]:
    """Own-price elasticities of products that the night calls identified."""
    rows = _rows(con, "elasticities")
    true, low, mid, high = (
        rows[name].to_numpy() for name in ("true_elasticity", "elasticity_p10", "elasticity_p50", "elasticity_p90")
    )
    covered = float(((low <= true) & (true <= high)).mean())
    return [
        Found(name="elasticity: Spearman", value=metrics.spearman(true, mid), floor=0.7, count=len(rows)),
        Found(name="elasticity: p10-p90 holds the truth", value=covered, floor=0.75, ceiling=0.90, count=len(rows)),
    ]


def contact_risks(con: duckdb.DuckDBPyConnection) -> list[Found]:
    """Which open orders lead to a contact."""
    return [_auc_beside_truth("order contact risk: AUC", _rows(con, "contact_risks"))]


def purchases(con: duckdb.DuckDBPyConnection) -> list[Found]:
    """Which users order within four weeks."""
    return [_auc_beside_truth("purchase in 28 days: AUC", _rows(con, "purchases"))]


def _auc_beside_truth(name: str, rows: pl.DataFrame) -> Found:
    happened = rows["happened"].to_numpy().astype(float)
    ceiling = metrics.auc(happened, rows["true_probability"].to_numpy())
    value = metrics.auc(happened, rows["probability"].to_numpy())
    return Found(name=name, value=value, floor=ceiling - 0.03, peer=ceiling, count=len(rows))


def scarce_demand(con: duckdb.DuckDBPyConnection) -> list[Found]:
    """Demand on days with an empty shelf, beside the mean of what was sold: 1 - WAPE / WAPE of the naive."""
    rows = _rows(con, "scarce_demand")
    true = rows["true_units"].to_numpy()
    naive = metrics.wape(true, rows["naive_units"].to_numpy())
    gain = 1 - metrics.wape(true, rows["forecast_units"].to_numpy()) / naive
    return [Found(name="demand at an empty shelf: gain over naive", value=gain, floor=0.2, peer=naive, count=len(rows))]


def demand_quantiles(con: duckdb.DuckDBPyConnection) -> list[Found]:
    """How often a week's demand, sold or not, stays within the forecast's p90; a count spreads evenly over one unit."""
    rows = _rows(con, "demand_quantiles")
    covered = metrics.count_coverage(rows["true_units"].to_numpy(), rows["demand_units_p90"].to_numpy())
    return [Found(name="demand: within p90", value=covered, floor=0.87, ceiling=0.93, count=len(rows))]


def lead_times(con: duckdb.DuckDBPyConnection) -> list[Found]:
    """How often goods that were ordered after the night arrive within its p90. Lead times are whole days: the days on
    which p90 falls count in part, or the true p90 itself would hold far more than nine of ten."""
    rows = _rows(con, "lead_times")
    days, p90, true_p90 = (
        rows[name].to_numpy().astype(float) for name in ("days", "lead_time_days_p90", "true_lead_time_days_p90")
    )
    covered, ideal = metrics.count_coverage(days, p90), metrics.count_coverage(days, true_p90)
    return [Found(name="lead time: within p90", value=covered, floor=0.87, ceiling=0.93, peer=ideal, count=len(rows))]


def quarantine(con: duckdb.DuckDBPyConnection) -> list[Found]:
    """Rows set aside and not planted, or planted and not set aside."""
    rows = _rows(con, "quarantine")
    wrong = rows.filter(pl.col("is_planted") != pl.col("is_set_aside")).height
    return [Found(name="quarantine: wrong rows", value=wrong, ceiling=0, count=len(rows))]


if __name__ == "__main__":
    main()
