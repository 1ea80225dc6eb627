"""Joint training, each way of sharing, beside every task alone and the naive baselines: value, time and memory.

python benchmarks/bench_mtl_heads.py [WAREHOUSE ...] [--seeds 5] [--epochs 5] [--only single,hard] [--write]

A WAREHOUSE is the warehouse.duckdb of a home on which a night ran; without one, a demo shop (small, seed 1) is built.
All trainings see the same rows for the same passes, and together the tasks alone take the rows a step that joint
training takes; docs/heads.md, which `--write` fills, says how they are compared. Each is a process on one core and
leaves a line in the results, so that a run that was stopped goes on. Last line: one JSON object.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

from bench_transfer import shop_of
from heads import page, tables
from heads.results import PLACEBO, SINGLE, Results
from heads.training import Training

from flows.environment import set_defaults
from flows.version import code_version
from mtl_models.config import ModelConfig
from mtl_models.sharing import ARCHITECTURES
from tasks.lesson import tables_of
from tasks.readiness import check_readiness
from warehouse.connect import open_read_only

HERE = Path(__file__).parent
RESULTS = HERE / "results" / "mtl_heads.jsonl"
DEMO_SHOP = "demo_shop:small?seed=1"
JOINT = tuple(way for way in ARCHITECTURES if way != SINGLE)
WAYS = (SINGLE, *JOINT, PLACEBO)


def main(words: list[str] | None = None) -> None:
    arguments = parse(words)
    set_defaults()
    results = Results(arguments.results)
    with warehouses(arguments.warehouses) as files:
        for seed in range(arguments.seeds):
            for file in files:
                shop, tasks = look_at(file)
                for training in trainings(tasks, arguments.only, seed, arguments.epochs):
                    if not results.has(shop, training):
                        results.add(shop, code_version(), training, train(file, training))
                        print(f"{shop}: {training}", file=sys.stderr)
    print(page.tables_of(results))
    if arguments.write:
        page.write(results)
    shops = {shop: tables.figures(results.of(shop)) for shop in results.shops()}
    print(json.dumps({"benchmark": "mtl_heads", "shops": shops}))


def parse(words: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("warehouses", nargs="*", type=Path, help="warehouse.duckdb of a home on which a night ran")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--epochs", type=int, default=ModelConfig().max_epochs)
    parser.add_argument("--only", type=lambda names: names.split(","), default=WAYS, help=f"some of {', '.join(WAYS)}")
    parser.add_argument("--results", type=Path, default=RESULTS, help="has a line for each training")
    parser.add_argument("--write", action="store_true", help="write the results' tables to docs/heads.md and README.md")
    arguments = parser.parse_args(words)
    if unknown := set(arguments.only) - set(WAYS):
        parser.error(f"--only names {', '.join(sorted(unknown))}; there are {', '.join(WAYS)}")
    return arguments


@contextmanager
def warehouses(files: list[Path]) -> Iterator[list[Path]]:
    """Those given, or that of a demo shop whose samples are built here."""
    if files:
        yield [file.resolve() for file in files]
        return
    with tempfile.TemporaryDirectory(prefix="fivefold-heads-") as folder:
        with shop_of(DEMO_SHOP, Path(folder)) as work:
            file = work.night.warehouse_path
        yield [file]


def look_at(file: Path) -> tuple[str, tuple[str, ...]]:
    """Whose warehouse it is and of which day, and the tasks that can learn there."""
    with open_read_only(file) as con:
        newest = con.execute("select source, as_of_date from ops.runs order by started_at desc limit 1").fetchone()
        if newest is None:
            sys.exit(f"{file}: no night ran there. Remedy: fivefold run, then name the home's warehouse.duckdb.")
        return " ".join(map(str, newest)), check_readiness(con).tasks


def trainings(tasks: tuple[str, ...], ways: list[str], seed: int, epochs: int) -> Iterator[Training]:
    """One seed of every way. The placebo is of the default sharing, once for each table: the tasks that learn from one
    keep its labels together."""
    default = ModelConfig().sharing
    for way in ways:
        if way == SINGLE:
            yield from (Training(sharing=SINGLE, seed=seed, epochs=epochs, alone=task) for task in tasks)
        elif way == PLACEBO:
            yield from (Training(sharing=default, seed=seed, epochs=epochs, placebo=t) for t in tables_of(tasks))
        else:
            yield Training(sharing=way, seed=seed, epochs=epochs)


def train(warehouse: Path, training: Training) -> dict:
    """What `heads/training.py` printed."""
    command = [sys.executable, "-m", "heads.training", str(warehouse), json.dumps(asdict(training))]
    done = subprocess.run(command, cwd=HERE, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{training} failed:\n{done.stderr}")
    return json.loads(done.stdout.splitlines()[-1])


if __name__ == "__main__":
    main()
