"""A whole first night on the real data set, and the second one with one more week of data.

The overhead is counted generously: everything outside the steps (interpreter, imports, Prefect's server and client) is
Prefect's, and the whole validation is Great Expectations'.
"""

from __future__ import annotations

import json
import tempfile
from dataclasses import asdict
from pathlib import Path

from watched_night import Watched, watch_night

NIGHTS = {"first": "2017-12-25", "second": "2018-01-01"}


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="fivefold-bench-") as folder:
        home = Path(folder) / "home"
        nights = {
            name: watch_night(home, ["--source", "completejourney", "--as-of", day]) for name, day in NIGHTS.items()
        }
    overheads = {name: overhead_ratio(night) for name, night in nights.items()}
    print(f"{'':<20}" + "".join(f"{name:>10}" for name in nights))
    for step in nights["first"].steps_s:
        print(f"{step:<20}" + "".join(f"{night.steps_s[step]:>8.1f} s" for night in nights.values()))
    for label, field in (("wall", "wall_s"), ("CPU", "cpu_s")):
        print(f"{label:<20}" + "".join(f"{getattr(night, field):>8.1f} s" for night in nights.values()))
    print(f"{'peak memory':<20}" + "".join(f"{night.peak_gib:>6.2f} GiB" for night in nights.values()))
    print(f"{'overhead':<20}" + "".join(f"{overhead:>10.1%}" for overhead in overheads.values()))
    ratio = nights["second"].wall_s / nights["first"].wall_s
    print(f"second over first   {ratio:>10.1%}")
    said = {name: asdict(night) | {"overhead_ratio": overheads[name]} for name, night in nights.items()}
    print(json.dumps({"second_over_first": round(ratio, 3)} | said))


def overhead_ratio(night: Watched) -> float:
    """Share of the night's time that is not its own work."""
    outside = night.wall_s - sum(night.steps_s.values())
    return round((outside + night.steps_s["validate_feeds"] + night.steps_s["publish_release"]) / night.wall_s, 3)


if __name__ == "__main__":
    main()
