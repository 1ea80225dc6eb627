"""Nights of demo shops of four sizes: time, memory and disk by step, and how they grow with the shop.

A shop of N users has N / 5 products; `small`, `medium` and `large` are the shops of these names. Each size lives its
half year first, apart, so that a night is ingest to report. An exponent of 1 is in proportion to the behaviour events,
below 1 is better. Steps are told in processor seconds, for a machine may do other work too. With --results a size that
is finished is kept there, and is not run again.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from watched_night import Watched, watch_night

from warehouse.connect import open_read_only

# The last has 11 million events.
SIZES = ("1250", "5000", "12500", "32000")
USERS_PER_PRODUCT = 5
LIVE = (
    "import sys; from pathlib import Path; from warehouse.sources import open_source; "
    "source = open_source(sys.argv[1], home=Path(sys.argv[2])); "
    "source.prepare(lambda message, done: None)"
)


@dataclass(frozen=True, kw_only=True)
class Load:
    """One size, in users or by its name: what came in, what was made of it, and what the night took."""

    size: str
    lived_s: float
    events: int
    rows: int
    samples: int
    training_rows_per_s: float
    warehouse_mb: float
    published_mb: float
    night: Watched


def main() -> None:
    given = arguments()
    loads = finished(given.results)
    for size in given.sizes:
        if size not in loads:
            with place(given.folder, size) as home:
                loads[size] = measure(home, size, given.option)
            keep(given.results, loads[size])
    shown = [loads[size] for size in given.sizes]
    tell(shown)
    print(json.dumps([asdict(load) for load in shown]))


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", nargs="+", default=SIZES, help="users, or names of demo shops; one is enough")
    parser.add_argument("--folder", type=Path, help="keep the homes there; a shop that lives there is not lived again")
    parser.add_argument("--results", type=Path, help="file of the sizes that are finished, a JSON line each")
    parser.add_argument("--option", action="append", default=[], help="of `fivefold run`, such as --option=--force")
    return parser.parse_args()


def finished(results: Path | None) -> dict[str, Load]:
    """{size: what was measured} of those in the file."""
    lines = results.read_text(encoding="utf-8").splitlines() if results and results.exists() else []
    loads = [json.loads(line) for line in lines]
    return {load["size"]: Load(**{**load, "night": Watched(**load["night"])}) for load in loads}


def keep(results: Path | None, load: Load) -> None:
    """Add a finished size to the file."""
    if results:
        with results.open("a", encoding="utf-8") as lines:
            lines.write(json.dumps(asdict(load)) + "\n")


@contextlib.contextmanager
def place(folder: Path | None, size: str) -> Iterator[Path]:
    """The home of a size: below the folder, or gone on leaving, for it takes up to 200 bytes for each event."""
    if folder:
        yield folder / size
        return
    with tempfile.TemporaryDirectory(prefix="fivefold-load-") as aside:
        yield Path(aside) / size


def measure(home: Path, size: str, options: Sequence[str]) -> Load:
    """Let the shop live, then run its night."""
    home.mkdir(parents=True, exist_ok=True)
    source = f"demo_shop:{size}"
    if size.isdecimal():
        source = f"demo_shop:small?users={size}&products={int(size) // USERS_PER_PRODUCT}"
    clock = time.perf_counter()
    subprocess.run([sys.executable, "-c", LIVE, source, str(home)], check=True, cwd=Path(__file__).parent.parent)
    lived = time.perf_counter() - clock
    night = watch_night(home, ["--source", source, *options])
    with open_read_only(home / "warehouse.duckdb") as con:
        sizes = con.execute(
            "select coalesce(sum(estimated_size) filter (where table_name = 'behaviour_events'), 0),"
            " sum(estimated_size) from duckdb_tables() where schema_name = 'raw'"
        ).fetchall()[0]
        samples = con.execute(
            "select sum(estimated_size) from duckdb_tables() where schema_name = 'samples'"
        ).fetchall()[0][0]
        speed = con.execute(
            "select regexp_extract(detail, '([0-9,]+) rows/s', 1) from ops.run_steps"
            " where run_id = $1 and step = 'train_model'",
            [night.run_id],
        ).fetchall()[0][0]
    return Load(
        size=size,
        lived_s=round(lived, 1),
        events=int(sizes[0]),
        rows=int(sizes[1]),
        samples=int(samples),
        training_rows_per_s=float(speed.replace(",", "")),
        warehouse_mb=megabytes(home / "warehouse.duckdb"),
        published_mb=megabytes(home / "published.duckdb"),
        night=night,
    )


def megabytes(file: Path) -> float:
    return round(file.resolve().stat().st_size / 1e6, 1)


def tell(loads: Sequence[Load]) -> None:
    """The table: a column for each size, the exponent last."""
    events = [load.events for load in loads]

    def line(label: str, unit: str, values: Sequence[float]) -> None:
        print(f"{label:<26}{unit:>8}" + "".join(f"{value:>14,.10g}" for value in values) + exponent(events, values))

    print(f"{'':<34}" + "".join(f"{named(load.size):>14}" for load in loads) + "  exponent")
    line("behaviour events", "", events)
    line("rows of all feeds", "", [load.rows for load in loads])
    line("samples", "", [load.samples for load in loads])
    line("the shop lives", "s", [load.lived_s for load in loads])
    for step in loads[0].night.steps_cpu_s:
        line(step, "CPU s", [load.night.steps_cpu_s[step] for load in loads])
    line("night", "CPU s", [load.night.cpu_s for load in loads])
    line("night, by the clock", "s", [load.night.wall_s for load in loads])
    line("training", "rows/s", [load.training_rows_per_s for load in loads])
    for step in loads[0].night.steps_gib:
        line(f"{step}, most", "GiB", [load.night.steps_gib[step] for load in loads])
    line("night, most", "GiB", [load.night.peak_gib for load in loads])
    line("warehouse", "MB", [load.warehouse_mb for load in loads])
    line("published", "MB", [load.published_mb for load in loads])


def named(size: str) -> str:
    return f"{int(size):,} users" if size.isdecimal() else size


def exponent(events: Sequence[int], values: Sequence[float]) -> str:
    """The slope of the logarithms, where there are sizes to tell it from."""
    if len(events) < 2 or min(values) <= 0:
        return ""
    return f"{np.polyfit(np.log(events), np.log(values), 1)[0]:>10.2f}"


if __name__ == "__main__":
    main()
