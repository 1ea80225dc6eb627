"""A demo shop's feeds as tables to be damaged, and nights of the plain task functions on what is left of them."""

from __future__ import annotations

import time
import traceback
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import duckdb

from flows.settings import load_settings
from flows.work import at_work
from tasks.build_features import build_features
from tasks.check_consistency import check_consistency
from tasks.decide_actions import decide_actions
from tasks.evaluate_heads import evaluate_heads
from tasks.explain_decisions import explain_decisions
from tasks.gates import GateStopped
from tasks.ingest_feeds import ingest_feeds
from tasks.measure_drift import measure_drift
from tasks.measure_experiments import measure_experiments
from tasks.predict_heads import predict_heads
from tasks.publish_release import publish_release
from tasks.record_outcomes import record_outcomes
from tasks.train_model import train_model
from tasks.validate_feeds import validate_feeds
from tasks.write_report import write_report
from warehouse.connect import open_warehouse
from warehouse.sources import open_source
from warehouse.sources.demo_shop.sizes import SIZES

STEPS = (
    *(ingest_feeds, validate_feeds, build_features, train_model, evaluate_heads, predict_heads, measure_drift),
    *(decide_actions, check_consistency, measure_experiments, explain_decisions, record_outcomes, publish_release),
    write_report,
)
SHOP = "demo_shop:tiny?seed=3&dirt_ratio=0&users=150&products=40"
AS_OF = SIZES["tiny"].as_of_date
QUICK: Mapping[str, Any] = {
    "features": {"train_cutoffs": 2, "candidates_per_user": 20, "similarity_products": 60, "demand_products": 60},
    "model": {"max_epochs": 2, "batch_rows": 512, "trunk_widths": (32, 24), "slot_width": 16},
}


@dataclass(frozen=True, kw_only=True)
class Ending:
    """How a night ended: released, stopped (by which gate, in its words) or failed (with the traceback). `heads` by
    status; `no_numbers` are columns of the warehouse's tables for readers that hold NaN or infinity."""

    status: str
    said: str
    heads: dict[str, list[str]]
    no_numbers: list[str]
    processor_s: float


def open_shop(folder: Path) -> Path:
    """Let the shop live until the night, and keep its feeds as tables of a database; its path."""
    open_source(SHOP, AS_OF, folder).prepare(lambda message, done: None)
    (landed,) = (folder / "landing").iterdir()
    settings = load_settings(home=folder / "home", source=f"files:{landed}")
    with at_work(settings, AS_OF, ["ingest_feeds"], ()) as work:
        ingest_feeds(work.con, work.night)
    return folder / "home" / "warehouse.duckdb"


def write_feeds(shop: Path, folder: Path, damage: str) -> Path:
    """The shop's feeds after the damage, one Parquet file each; the folder."""
    folder.mkdir(parents=True)
    with duckdb.connect() as con:
        con.execute(f"attach '{shop}' as shop (read_only)")
        con.execute(f"create macro as_of() as timestamp '{AS_OF}'")
        query = "select table_name from duckdb_tables() where database_name = 'shop' and schema_name = 'raw'"
        for (feed,) in con.execute(query).fetchall():
            if con.execute(f"select 1 from shop.raw.{feed} limit 1").fetchall():
                con.execute(f"create table {feed} as select * exclude (_load_id) from shop.raw.{feed}")
        con.execute(damage or "select 1")
        query = "select table_name from duckdb_tables() where database_name = 'memory' and not temporary"
        for (feed,) in con.execute(query).fetchall():
            con.execute(f"copy {feed} to '{folder / feed}.parquet'")
    return folder


def spend_night(home: Path, feeds: Path, as_of: date = AS_OF, **settings: Any) -> Ending:
    """A whole night, report and all, without Prefect."""
    chosen = load_settings(home=home, source=f"files:{feeds}", **{**QUICK, **settings})
    status, said, clock = "released", "", time.process_time()
    with at_work(chosen, as_of, [step.__name__ for step in STEPS], ()) as work:
        try:
            for step in STEPS:
                step(work.con, work.night)
        except GateStopped as stop:
            status, said = "stopped", str(stop)
        except Exception:
            status, said = "failed", traceback.format_exc()
        run_id = work.night.run_id
    with open_warehouse(home / "warehouse.duckdb") as con:
        heads = con.execute(
            "select status, list(head order by head) from ops.head_status where run_id = $1 group by all order by all",
            [run_id],
        ).fetchall()
        return Ending(
            status=status,
            said=said,
            heads=dict(heads),
            no_numbers=_no_numbers(con),
            processor_s=round(time.process_time() - clock, 1),
        )


def _no_numbers(con: duckdb.DuckDBPyConnection) -> list[str]:
    columns = con.execute(
        """select format('{}.{}', schema_name, table_name), column_name from duckdb_columns()
        where schema_name in ('predictions', 'ops') and data_type in ('FLOAT', 'DOUBLE')
            and table_name in (select table_name from duckdb_tables())"""
    ).fetchall()
    odd = "select 1 from {} where not isfinite({}) limit 1"
    return [f"{table}.{name}" for table, name in columns if con.execute(odd.format(table, name)).fetchall()]
