"""A whole first night on the real data set, and the second one with one more week of data.

The overhead is counted generously: everything outside the steps (interpreter, imports, Prefect's server and client) is
Prefect's, and the whole validation is Great Expectations'.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from warehouse.connect import open_read_only

NIGHTS = {"first": "2017-12-25", "second": "2018-01-01"}
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True, kw_only=True)
class Measured:
    wall_s: float
    cpu_s: float
    peak_gib: float
    overhead_ratio: float
    steps_s: dict[str, float]


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="fivefold-bench-") as folder:
        nights = {name: measure(Path(folder), day) for name, day in NIGHTS.items()}
    print(f"{'':<20}" + "".join(f"{name:>10}" for name in nights))
    for step in nights["first"].steps_s:
        print(f"{step:<20}" + "".join(f"{night.steps_s[step]:>8.1f} s" for night in nights.values()))
    for label, field in (("wall", "wall_s"), ("CPU", "cpu_s")):
        print(f"{label:<20}" + "".join(f"{getattr(night, field):>8.1f} s" for night in nights.values()))
    print(f"{'peak memory':<20}" + "".join(f"{night.peak_gib:>6.2f} GiB" for night in nights.values()))
    print(f"{'overhead':<20}" + "".join(f"{night.overhead_ratio:>10.1%}" for night in nights.values()))
    ratio = nights["second"].wall_s / nights["first"].wall_s
    print(f"second over first   {ratio:>10.1%}")
    print(json.dumps({"second_over_first": round(ratio, 3)} | {name: asdict(night) for name, night in nights.items()}))


def measure(folder: Path, day: str) -> Measured:
    """One night in a process of its own, in the home that the night before left."""
    home = folder / "home"
    place = ["--source", "completejourney", "--home", str(home)]
    command = [sys.executable, "-m", "flows.cli", "run", "--as-of", day, *place, "--json"]
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("FIVEFOLD_", "PREFECT_"))}
    environment |= {"HOME": str(folder), "PYTHONPATH": str(Path(__file__).parent.parent)}
    before, clock = os.times(), time.perf_counter()
    process = subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.PIPE, text=True)
    peak = PeakMemory(process.pid)
    peak.start()
    told, _ = process.communicate()
    wall, after = time.perf_counter() - clock, os.times()
    peak.join()
    if process.returncode:
        raise SystemExit(f"the night of {day} ended with {process.returncode}: {told}")
    with open_read_only(home / "warehouse.duckdb") as con:
        steps = dict(
            con.execute(
                "select step, round(seconds, 1) from ops.run_steps where run_id = $1 order by started_at",
                [json.loads(told)["run_id"]],
            ).fetchall()
        )
    outside = wall - sum(steps.values())
    return Measured(
        wall_s=round(wall, 1),
        cpu_s=round(sum(after[2:4]) - sum(before[2:4]), 1),
        peak_gib=round(peak.bytes / 2**30, 2),
        overhead_ratio=round((outside + steps["validate_feeds"] + steps["publish_release"]) / wall, 3),
        steps_s=steps,
    )


class PeakMemory(threading.Thread):
    """The largest resident memory of a process and its children together, looked at four times a second."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self.pid, self.bytes = pid, 0

    def run(self) -> None:
        while Path(f"/proc/{self.pid}/task").exists():
            self.bytes = max(self.bytes, resident(self.pid))
            time.sleep(0.25)


def resident(pid: int) -> int:
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
        children = " ".join(file.read_text() for file in Path(f"/proc/{pid}/task").glob("*/children")).split()
    except (FileNotFoundError, ProcessLookupError):
        return 0
    return pages * PAGE_BYTES + sum(resident(int(child)) for child in children)


if __name__ == "__main__":
    main()
