"""What a night promises, tried: nights killed again and again, machines that fail, readers that never pause.

Seeded, and bounded in time: deaths are tried in turns from every stage until the seconds are over, the few that are
certain to come (each change of a name while publishing and going back) first.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict
from itertools import takewhile
from pathlib import Path

from chaos import machine, readers, server, stages, trials, victims
from chaos.deaths import After, AtChange, AtStep, Death
from chaos.stages import Stage
from chaos.trials import Trial

from flows.environment import silence_prefect_console
from flows.prefect_server import temporary_server

# From a disk that holds nothing to one that holds all but the last step.
DISKS_MB = (16, 1, 32, 8, 40, 24, 0.01)
# How many deaths of each kind come before a night is let live, and the names that change from publishing on.
IN_A_ROW, LAST_CHANGE = 2, 24
NIGHTS = {"first night", "next night", "machine"}
PARTS = ("publishing", "rollback", "first night", "next night", "machine", "server", "readers")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=1800, help="when to stop killing nights")
    parser.add_argument("--seed", type=int, default=1, help="which moments")
    parser.add_argument("--readers", type=int, default=50)
    parser.add_argument("--publishes", type=int, default=20)
    parser.add_argument("--only", choices=PARTS, action="append", help="this part only; may be repeated")
    asked = parser.parse_args()
    ends = time.monotonic() + asked.seconds
    parts = asked.only or PARTS
    silence_prefect_console()
    if NIGHTS & set(parts):
        victims.expect_nights()
    with tempfile.TemporaryDirectory(prefix="fivefold-chaos-") as folder:
        figures, faults = try_all(Path(folder), parts, asked, ends)
    print(json.dumps({"benchmark": "chaos", "seed": asked.seed, "faults": len(faults)} | figures))
    sys.exit(bool(faults))


def try_all(
    folder: Path, parts: tuple[str, ...], asked: argparse.Namespace, ends: float
) -> tuple[dict[str, object], list[str]]:
    """Every part that was asked for; its figures by name, and all broken promises."""
    figures: dict[str, object] = {}
    faults: list[str] = []
    if "readers" in parts:
        contest = readers.contest(folder / "readers", asked.readers, asked.publishes)
        figures["readers"], broken = tell_readers(contest)
        faults += broken
    if {"publishing", "rollback"} & set(parts):
        for stage in stages.publishing(folder / "windows"):
            if stage.name in parts:
                figures[stage.name] = tell_trials(stage.name, trials.at_every_change(stage, folder / "trial"), faults)
    if "server" in parts:
        figures["server"] = tell_troubles(server.killed_at(folder / "server", ends), faults)
    if not NIGHTS & set(parts):
        return figures, faults
    from prefect.settings import PREFECT_API_URL

    with temporary_server() as is_ready:
        is_ready()
        address = PREFECT_API_URL.value()
        if {"first night", "machine"} & set(parts):
            first = stages.first_night(folder / "first", address)
        if "machine" in parts and machine.can_mount():
            disks = takewhile(lambda _: time.monotonic() < ends, DISKS_MB)
            troubles = (machine.full_disk(first, folder / "disk", free) for free in disks)
            figures["disk"] = tell_troubles(troubles, faults)
        nights = [first] if "first night" in parts else []
        if "next night" in parts:
            nights.append(stages.next_night(folder / "next", address))
        for stage in nights:
            until = time.monotonic() + (ends - time.monotonic()) / (len(nights) - nights.index(stage))
            deaths = kill_nights(stage, folder / "trial", random.Random(asked.seed), until)
            figures[stage.name] = tell_trials(stage.name, deaths, faults)
    return figures, faults


def kill_nights(stage: Stage, home: Path, luck: random.Random, ends: float) -> Iterator[Trial]:
    """Nights killed at boundaries of steps, at changes of names from the publishing on, and at any moment: some in a
    row, each on what the one before left, and then one that is let live."""
    from flows.nightly import STEPS

    certain: list[Death] = [AtStep(step.name, moment) for step in STEPS for moment in ("started", "ended")]
    certain += [AtChange(number, "publish_release") for number in range(1, LAST_CHANGE + 1)]
    luck.shuffle(certain)
    while time.monotonic() < ends:
        anywhere = [After(luck.uniform(0, 0.8 * stage.seconds)) for _ in range(IN_A_ROW)]
        yield trials.play(stage, home, *certain[:IN_A_ROW], *anywhere)
        del certain[:IN_A_ROW]


def tell_trials(name: str, tried: Iterator[Trial], faults: list[str]) -> dict[str, object]:
    """A line for each trial as it ends; the figures of all."""
    counts: Counter[str] = Counter()
    said: Counter[str] = Counter()
    for trial in tried:
        counts["trials"] += 1
        counts["kills"] += trial.kills
        counts["cleared"] += bool(trial.said)
        counts["faults"] += bool(trial.faults)
        faults += trial.faults
        verdict = "; ".join(trial.faults) or "as undisturbed"
        print(f"{name:<12} {trial.deaths:<70} {trial.seconds:6.1f} s  {verdict}", flush=True)
        said.update(line.split("night ")[0].strip() for line in trial.said.split("; ") if line)
    return dict(counts) | {"notes": sum(said.values())}


def tell_troubles(tried: Iterator[machine.Trouble], faults: list[str]) -> list[dict[str, object]]:
    """A line for each trouble; what became of each."""
    told = []
    for trouble in tried:
        faults += trouble.faults
        verdict = "; ".join(trouble.faults) or "nothing lost"
        print(f"{trouble.trouble:<34} exit code {trouble.code}  {verdict}\n    {trouble.said}", flush=True)
        told.append(asdict(trouble))
    return told


def tell_readers(contest: readers.Contest) -> tuple[dict[str, object], list[str]]:
    """What readers met, and what publishing with them costs."""
    met = contest.readings
    print(
        f"{contest.readers} readers, {contest.publishes} publishes: {met.queries:,} queries, {len(met.nights)} nights "
        f"seen, {met.errors} errors, {met.mixed} mixed; publishing {contest.seconds:.3f} s, with readers elsewhere "
        f"{contest.seconds_elsewhere:.3f} s ({contest.slower_by:+.1%})",
        flush=True,
    )
    broken = [met.first_error] * bool(met.errors) + ["a query saw two nights"] * bool(met.mixed)
    return {
        "readers": contest.readers,
        "publishes": contest.publishes,
        "queries": met.queries,
        "nights_seen": len(met.nights),
        "errors": met.errors,
        "mixed": met.mixed,
        "seconds": round(contest.seconds, 3),
        "seconds_elsewhere": round(contest.seconds_elsewhere, 3),
        "slower_by": round(contest.slower_by, 3),
    }, broken


if __name__ == "__main__":
    main()
