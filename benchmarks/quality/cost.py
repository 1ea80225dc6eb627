"""What one joint training and the predictions of all heads cost: `python -m quality.cost HOME`, a process of its own.

The night of that home is trained and predicted again, afresh, on a copy of its warehouse and on one core, by the
settings that it had. Prints one line of JSON: CPU seconds of both, samples read included, and the peak of memory.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
import time
from pathlib import Path

# Before NumPy and torch: one core, and no thread that spins while it waits.
os.environ.update(OMP_NUM_THREADS="1", OMP_WAIT_POLICY="PASSIVE")

import duckdb
import torch
from peak_memory import peak_mib

from mtl_models.config import ModelConfig
from tasks.evaluate_heads import evaluate_heads
from tasks.night import Night
from tasks.predict_heads import predict_heads
from tasks.train_model import train_model
from warehouse.connect import open_warehouse


def main() -> None:
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory(prefix="fivefold-cost-") as folder:
        shutil.copy(Path(sys.argv[1]) / "warehouse.duckdb", folder)
        with open_warehouse(Path(folder) / "warehouse.duckdb") as con:
            print(json.dumps(cost(con, night_of(con, Path(folder)))))


def night_of(con: duckdb.DuckDBPyConnection, home: Path) -> Night:
    """The newest night of the diary, to be trained afresh in another home."""
    run_id, as_of, source, settings = con.execute(
        "select run_id, as_of_date, source, settings_json from ops.runs order by started_at desc limit 1"
    ).fetchall()[0]
    known = json.loads(settings) if settings else {}
    model = ModelConfig(**known.get("model", {}) | {"warm_start": False})
    time_zone = known.get("time_zone", "UTC")
    return Night(run_id=run_id, as_of_date=as_of, source=source, home=home, time_zone=time_zone, model=model)


def cost(con: duckdb.DuckDBPyConnection, night: Night) -> dict[str, float]:
    """CPU seconds of training and of predicting, and MiB. What is measured in between decides who predicts."""
    started = time.process_time()
    train_model(con, night)
    trained = time.process_time()
    evaluate_heads(con, night)
    evaluated = time.process_time()
    predict_heads(con, night)
    return {
        "training_cpu_s": trained - started,
        "prediction_cpu_s": time.process_time() - evaluated,
        "peak_mib": peak_mib(),
    }


if __name__ == "__main__":
    main()
