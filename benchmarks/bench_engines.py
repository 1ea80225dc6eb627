"""Features and predictions of one finished night, by the local engine and on Ray, on one machine.

python benchmarks/bench_engines.py HOME      a home whose last night is released; it is copied and left as it is

Seconds by the clock, Ray's after its start, which is told apart; both run twice, the second time counts. Tables are
compared: features and samples bit by bit, predictions by key and within float tolerance. Last line: one JSON object.
"""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import duckdb
import polars as pl
from polars.testing import assert_frame_equal

from flows.environment import set_defaults
from flows.settings import load_settings
from tasks.build_features import build_features
from tasks.engine import cluster, shut_down
from tasks.night import Night
from tasks.predict_heads import predict_heads
from warehouse.connect import open_warehouse
from warehouse.digest import digest_rows
from warehouse.partitions import PARTITIONED


def seconds(work: Callable[[], object]) -> tuple[float, object]:
    started = time.perf_counter()
    report = work()
    return time.perf_counter() - started, report


def digests(con: duckdb.DuckDBPyConnection) -> dict[str, str]:
    tables = con.execute(
        """select schema_name || '.' || table_name, list(column_name order by column_index) from duckdb_columns()
        where schema_name in ('features', 'samples') group by all order by all"""
    ).fetchall()
    return {name: digest_rows(con, name, columns) for name, columns in tables}


def predicted(con: duckdb.DuckDBPyConnection) -> dict[str, pl.DataFrame]:
    names = con.execute("select table_name from duckdb_tables() where schema_name = 'predicted'").fetchall()
    frames = {name: con.sql(f"from predicted.{name}").pl() for (name,) in names}
    keys = (pl.String, pl.Date, pl.Int32, pl.Int64)
    return {
        name: frame.sort([column for column, kind in frame.schema.items() if kind in keys])
        for name, frame in frames.items()
    }


def night_of(con: duckdb.DuckDBPyConnection, home: Path) -> Night:
    ((run_id, day, source),) = con.execute(
        "select run_id, as_of_date, source from ops.runs where status = 'released' order by started_at desc limit 1"
    ).fetchall()
    return load_settings(home=home, source=source).night(run_id, day, "UTC", "USD")


def main() -> None:
    if len(sys.argv) != 2:
        sys.exit("usage: python benchmarks/bench_engines.py HOME")
    set_defaults()
    with tempfile.TemporaryDirectory(prefix="fivefold-engines-") as folder:
        home = Path(folder)
        shutil.copy(Path(sys.argv[1]) / "warehouse.duckdb", home)
        shutil.copytree(Path(sys.argv[1]) / "models", home / "models")
        with open_warehouse(home / "warehouse.duckdb", memory_limit="3GB") as con:
            print(json.dumps(measure(con, night_of(con, home))))


def measure(con: duckdb.DuckDBPyConnection, night: Night) -> dict[str, object]:
    took: dict[str, dict[str, float]] = {}
    tables: dict[str, tuple[dict[str, str], dict[str, pl.DataFrame]]] = {}
    start_s, _ = seconds(lambda: cluster.join(night.engine_address))
    print(f"Ray started in {start_s:.1f} s, {cluster.nodes()[0]}")
    for engine in ("local", "ray", "local", "ray"):
        tonight = night.model_copy(update={"engine": engine})
        build_s, built = seconds(lambda tonight=tonight: build_features(con, tonight))  # type: ignore[misc]
        predict_s, _ = seconds(lambda tonight=tonight: predict_heads(con, tonight))  # type: ignore[misc]
        divided = sum(built.seconds[file] for file in PARTITIONED)  # type: ignore[attr-defined]
        took[engine] = {"build": build_s, "divided_files": divided, "predict": predict_s}
        tables[engine] = digests(con), predicted(con)
        print(engine.ljust(6), "  ".join(f"{name} {value:6.1f} s" for name, value in took[engine].items()), flush=True)
    assert tables["local"][0] == tables["ray"][0], "features or samples differ"
    for name, frame in tables["local"][1].items():
        assert_frame_equal(frame, tables["ray"][1][name], rel_tol=1e-4, abs_tol=1e-5)
    ratios = {name: round(took["ray"][name] / took["local"][name], 2) for name in took["local"]}
    print(f"{len(tables['local'][0])} tables equal bit by bit; Ray / local: {ratios}")
    shut_down(night.model_copy(update={"engine": "ray"}))
    return {"start_s": round(start_s, 1), "seconds": took, "ratios": ratios}


if __name__ == "__main__":
    main()
