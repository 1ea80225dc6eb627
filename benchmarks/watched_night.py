"""A night in a process of its own, watched from outside: time, processor, and memory of all its processes by step."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from warehouse.connect import open_read_only

PAGE_BYTES, TICKS = os.sysconf("SC_PAGE_SIZE"), os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, kw_only=True)
class Watched:
    """`wall_s` and `cpu_s` are of the whole process; `steps_s`, `steps_cpu_s` and `steps_gib` (the most memory) of each
    step, with its server's. On a machine that does other work too, processor seconds say more than wall time."""

    run_id: str
    wall_s: float
    cpu_s: float
    peak_gib: float
    steps_s: dict[str, float]
    steps_cpu_s: dict[str, float]
    steps_gib: dict[str, float]


def watch_night(home: Path, options: Sequence[str]) -> Watched:
    """One night in that home; SystemExit with what it said when it fails."""
    command = [sys.executable, "-m", "flows.cli", "run", "--home", str(home), *options, "--json"]
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("FIVEFOLD_", "PREFECT_"))}
    environment |= {"HOME": str(home.parent), "PYTHONPATH": str(Path(__file__).parent.parent)}
    before, clock = os.times(), time.perf_counter()
    process = subprocess.Popen(command, cwd=home.parent, env=environment, stdout=subprocess.PIPE, text=True)
    seen = Sampler(process.pid)
    seen.start()
    told, _ = process.communicate()
    wall, after = time.perf_counter() - clock, os.times()
    seen.join()
    if process.returncode:
        raise SystemExit(f"{' '.join(command)} ended with {process.returncode}: {told}")
    run_id = json.loads(told)["run_id"]
    steps = _steps(home, run_id)
    return Watched(
        run_id=run_id,
        wall_s=round(wall, 1),
        cpu_s=round(sum(after[2:4]) - sum(before[2:4]), 1),
        peak_gib=seen.most_gib(),
        steps_s={step: round(seconds, 1) for step, _, seconds in steps},
        steps_cpu_s={step: seen.cpu_s(start, start + seconds) for step, start, seconds in steps},
        steps_gib={step: seen.most_gib(start, start + seconds) for step, start, seconds in steps},
    )


def _steps(home: Path, run_id: str) -> list[tuple[str, float, float]]:
    """(step, when it began, seconds) in their order."""
    with open_read_only(home / "warehouse.duckdb") as con:
        rows = con.execute(
            "select step, started_at, seconds from ops.run_steps where run_id = $1 order by started_at", [run_id]
        ).fetchall()
    return [(step, begun.replace(tzinfo=UTC).timestamp(), seconds) for step, begun, seconds in rows]


class Sampler(threading.Thread):
    """The processor time and resident memory of a process and its children together, looked at four times a second."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self.pid = pid
        self.seen: list[tuple[float, float, int]] = []

    def run(self) -> None:
        while Path(f"/proc/{self.pid}/task").exists():
            self.seen.append((datetime.now(UTC).timestamp(), *usage(self.pid)))
            time.sleep(0.25)

    def cpu_s(self, since: float, until: float) -> float:
        """Processor seconds between two moments."""
        spent = [seconds for at, seconds, _ in self.seen if since - 0.25 <= at <= until + 0.25]
        return round(max(spent) - min(spent), 1) if spent else 0.0

    def most_gib(self, since: float = 0.0, until: float = float("inf")) -> float:
        """The most between two moments."""
        return round(
            max((size for at, _, size in self.seen if since - 0.25 <= at <= until + 0.25), default=0) / 2**30, 2
        )


def usage(pid: int) -> tuple[float, int]:
    """Processor seconds that a process and its children have spent, and bytes of memory that they hold."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        children = " ".join(file.read_text() for file in Path(f"/proc/{pid}/task").glob("*/children")).split()
    except (FileNotFoundError, ProcessLookupError):
        return 0.0, 0
    ticks, pages = int(fields[11]) + int(fields[12]), int(fields[21])
    each = [usage(int(child)) for child in children]
    return ticks / TICKS + sum(spent for spent, _ in each), pages * PAGE_BYTES + sum(held for _, held in each)
