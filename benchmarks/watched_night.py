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

PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True, kw_only=True)
class Watched:
    """`wall_s` and `cpu_s` are of the whole process, `steps_s` and `steps_gib` (the most memory) of each step."""

    run_id: str
    wall_s: float
    cpu_s: float
    peak_gib: float
    steps_s: dict[str, float]
    steps_gib: dict[str, float]


def watch_night(home: Path, options: Sequence[str]) -> Watched:
    """One night in that home; SystemExit with what it said when it fails."""
    command = [sys.executable, "-m", "flows.cli", "run", "--home", str(home), *options, "--json"]
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("FIVEFOLD_", "PREFECT_"))}
    environment |= {"HOME": str(home.parent), "PYTHONPATH": str(Path(__file__).parent.parent)}
    before, clock = os.times(), time.perf_counter()
    process = subprocess.Popen(command, cwd=home.parent, env=environment, stdout=subprocess.PIPE, text=True)
    memory = Memory(process.pid)
    memory.start()
    told, _ = process.communicate()
    wall, after = time.perf_counter() - clock, os.times()
    memory.join()
    if process.returncode:
        raise SystemExit(f"{' '.join(command)} ended with {process.returncode}: {told}")
    run_id = json.loads(told)["run_id"]
    steps = _steps(home, run_id)
    return Watched(
        run_id=run_id,
        wall_s=round(wall, 1),
        cpu_s=round(sum(after[2:4]) - sum(before[2:4]), 1),
        peak_gib=memory.most_gib(),
        steps_s={step: round(seconds, 1) for step, _, seconds in steps},
        steps_gib={step: memory.most_gib(start, start + seconds) for step, start, seconds in steps},
    )


def _steps(home: Path, run_id: str) -> list[tuple[str, float, float]]:
    """(step, when it began, seconds) in their order."""
    with open_read_only(home / "warehouse.duckdb") as con:
        rows = con.execute(
            "select step, started_at, seconds from ops.run_steps where run_id = $1 order by started_at", [run_id]
        ).fetchall()
    return [(step, begun.replace(tzinfo=UTC).timestamp(), seconds) for step, begun, seconds in rows]


class Memory(threading.Thread):
    """The resident memory of a process and its children together, looked at four times a second."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self.pid = pid
        self.seen: list[tuple[float, int]] = []

    def run(self) -> None:
        while Path(f"/proc/{self.pid}/task").exists():
            self.seen.append((datetime.now(UTC).timestamp(), resident(self.pid)))
            time.sleep(0.25)

    def most_gib(self, since: float = 0.0, until: float = float("inf")) -> float:
        """The most between two moments."""
        return round(max((size for at, size in self.seen if since <= at <= until), default=0) / 2**30, 2)


def resident(pid: int) -> int:
    """Bytes of memory that a process and its children hold."""
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
        children = " ".join(file.read_text() for file in Path(f"/proc/{pid}/task").glob("*/children")).split()
    except (FileNotFoundError, ProcessLookupError):
        return 0
    return pages * PAGE_BYTES + sum(resident(int(child)) for child in children)
