"""The nights that `fivefold plan` knows, and the largest of them beside what the others foretell of it.

Each shop lives its half year first, apart, and then has its first night, watched from outside. `--write` keeps what the
nights took, and how fast this machine is, in `tasks/planning/measured_nights.json`. Homes in `--folder` that have been
measured are not run again.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import torch
from bench_load import LIVE
from watched_night import watch_night

from mtl_models.config import ModelConfig
from mtl_models.item_item import Interactions, best_unseen
from tasks.night import FeatureConfig
from tasks.planning import measured as kept
from tasks.planning.amounts import limits_of
from tasks.planning.estimate import BETWEEN, Estimate, Pace, estimate
from tasks.planning.measured import MeasuredNight, MeasuredNights, StepCost
from tasks.planning.own import read_own_night
from tasks.planning.speed import reference_seconds
from warehouse.connect import open_read_only

SOURCES = (
    *(f"demo_shop:small?users={users}&products={users // 5}" for users in (1_250, 5_000, 12_500)),
    "demo_shop:medium",
)
FILE = Path(kept.__file__).with_name(kept.FILE)
WATCHED = "watched.json"
MEMORY_LIMIT_GIB = 3e9 / 2**30  # the setting's default
LIMITS = limits_of(ModelConfig(), FeatureConfig())
# Enough for the matrices of the item-item model to be as large as they get.
USERS, ITEMS, PURCHASES_EACH = 4 * 2_048, 3_000, 60


def main() -> None:
    given = arguments()
    with nullcontext(given.folder) if given.folder else tempfile.TemporaryDirectory(prefix="fivefold-plan-") as folder:
        nights = MeasuredNights(
            machine=given.machine or machine(),
            measured_on=f"{datetime.now(UTC):%Y-%m-%d}",
            reference_s=reference_seconds(),
            similarity_s=similarity_seconds(),
            memory_limit_gib=MEMORY_LIMIT_GIB,
            nights=tuple(measure(Path(folder), source) for source in given.sources),
        )
    tell("the nights themselves", nights, nights.nights)
    if len(nights.nights) > 1:
        others = tuple(night for night in nights.nights if night != nights.largest)
        tell("the largest, by the others", nights.model_copy(update={"nights": others}), [nights.largest])
    if given.write:
        FILE.write_text(nights.model_dump_json(indent=1) + "\n")
    print(nights.model_dump_json())


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sources", nargs="*", default=SOURCES, help="demo shops to measure")
    parser.add_argument("--folder", type=Path, help="keep the homes there; one that was measured is not run again")
    parser.add_argument("--machine", help="what to call this machine")
    parser.add_argument("--write", action="store_true", help=f"keep the nights in {FILE.name}")
    return parser.parse_args()


def machine() -> str:
    cpu = re.search(r"^model name\s*: (.*)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    gib = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return f"{os.cpu_count()} cores of {cpu[1] if cpu else 'an unknown processor'}, {gib:.0f} GiB"


def measure(folder: Path, source: str) -> MeasuredNight:
    """A first night of the shop, in a home of its own."""
    home = folder / re.sub(r"\W+", "-", source)
    home.mkdir(parents=True, exist_ok=True)
    if not (home / WATCHED).exists():
        subprocess.run([sys.executable, "-c", LIVE, source, str(home)], check=True, cwd=Path(__file__).parent.parent)
        with watching_disk(home) as seen_bytes:
            night = watch_night(home, ["--source", source])
        (home / WATCHED).write_text(json.dumps(asdict(night) | {"most_bytes": max(seen_bytes)}))
    seen = json.loads((home / WATCHED).read_text())
    with open_read_only(home / "warehouse.duckdb") as con:
        own = read_own_night(con)
        tables = [name for (name,) in con.execute(TABLES).fetchall()]
        samples = {
            table: dict(
                con.execute(f'select fold, count(*) from samples."{table}" group by fold order by fold').fetchall()
            )
            for table in tables
        }
    assert own, f"{home} has no released night"
    return MeasuredNight(
        shop=own.shop,
        cpu_s=seen["cpu_s"],
        clock_s=seen["wall_s"],
        steps={
            step: StepCost(cpu_s=seen["steps_cpu_s"][step], clock_s=seen["steps_s"][step], gib=seen["steps_gib"][step])
            for step in seen["steps_s"]
        },
        samples=samples,
        disk=disk(home, seen.get("most_bytes")),
    )


TABLES = "select table_name from duckdb_tables() where schema_name = 'samples' order by table_name"


def similarity_seconds() -> float:
    """Processor seconds of one multiplication of the item-item model, the best of several blocks of users."""
    torch.set_num_threads(1)
    drawn, taken = np.random.default_rng(0), []
    user, item = np.repeat(np.arange(USERS), PURCHASES_EACH), drawn.integers(0, ITEMS, USERS * PURCHASES_EACH)
    weight = np.ones(len(user), np.float32)
    purchases = Interactions(user=user, item=item, weight=weight, users=USERS, items=ITEMS)
    gram, weights = torch.zeros(ITEMS, ITEMS), torch.randn(ITEMS, ITEMS)
    for _, block in purchases.blocks():
        clock = time.process_time()
        gram.addmm_(block.T, block)
        best_unseen(block @ weights, block, count=80)
        taken.append((time.process_time() - clock) / (len(block) * ITEMS**2))
    return min(taken)


@contextmanager
def watching_disk(home: Path) -> Iterator[list[int]]:
    """The bytes that lie in the home, looked at every second while the block runs."""
    seen, is_over = [0], threading.Event()

    def look() -> None:
        while not is_over.wait(1):
            seen.append(bytes_below(home))

    watcher = threading.Thread(target=look)
    watcher.start()
    try:
        yield seen
    finally:
        is_over.set()
        watcher.join()


def bytes_below(folder: Path) -> int:
    """Of all files that are still there when it is their turn."""
    total = 0
    for place, _, names in os.walk(folder):
        for name in names:
            with suppress(OSError):
                total += (Path(place) / name).lstat().st_size
    return total


def disk(home: Path, most_bytes: int | None) -> dict[str, int]:
    """Bytes by what they are; what lay there meanwhile only where somebody watched."""
    left = {
        "feeds as landed": bytes_below(home / "landing"),
        "warehouse": (home / "warehouse.duckdb").stat().st_size,
        "published, each night": (home / "published.duckdb").resolve().stat().st_size,
    }
    return left | ({"meanwhile": max(most_bytes - sum(left.values()), 0)} if most_bytes else {})


def tell(title: str, nights: MeasuredNights, against: Sequence[MeasuredNight]) -> None:
    """Estimates beside what was measured."""
    print(title)
    for night in against:
        said = estimate(night.shop, nights, LIMITS, MEMORY_LIMIT_GIB, Pace())
        print(f"  {night.shop.users:,} users, {night.shop.products:,} products, {night.shop.events:,} events")
        for line in lines(said, night):
            print(f"    {line}")


def lines(said: Estimate, night: MeasuredNight) -> list[str]:
    rows = [
        (step.step, step.cpu_s, night.steps[step.step].cpu_s, step.gib, night.steps[step.step].gib)
        for step in said.steps
        if step.step != BETWEEN
    ]
    most = max(cost.gib for cost in night.steps.values())
    rows.append(("night", said.cpu_s, night.cpu_s, said.largest.gib, most))
    told = [f"{'':<22}{'CPU s said':>12}{'took':>9}{'ratio':>7}{'GiB said':>10}{'took':>7}"]
    told += [
        f"{step:<22}{cpu:>12,.1f}{took:>9,.1f}{cpu / max(took, 0.1):>7.2f}{gib:>10.2f}{held:>7.2f}"
        for step, cpu, took, gib, held in rows
    ]
    told.append(
        f"{'by the clock, s':<22}{said.clock_s:>12,.1f}{night.clock_s:>9,.1f}{said.clock_s / night.clock_s:>7.2f}"
    )
    return told + [
        f"{name}: {said.disk[name] / 1e6:,.0f} MB said, {size / 1e6:,.0f} MB" for name, size in night.disk.items()
    ]


if __name__ == "__main__":
    main()
