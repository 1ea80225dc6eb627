"""Processes that run a night or go back to an earlier one, each in a group of its own, forked from one that has
imported everything: what a night costs is then the night."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import time
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from chaos.deaths import After, Death

from flows.tonight import OF_A_NIGHT


@dataclass(frozen=True, kw_only=True)
class Ended:
    """How a process ended: exit code (negative: the signal), seconds, and what it said on stderr."""

    code: int
    seconds: float
    said: str

    @property
    def is_killed(self) -> bool:
        return self.code == -signal.SIGKILL


@cache
def context() -> Any:
    """Where processes come from: forks of one that has imported what they need and started no thread."""
    found = multiprocessing.get_context("forkserver")
    found.set_forkserver_preload(["flows.work", "tasks.publish_release"])
    return found


def expect_nights() -> None:
    """Let that one import all that a whole night needs; to be called before the first process."""
    context().set_forkserver_preload([*OF_A_NIGHT, "altair", "captum.attr", "vl_convert"])
    first = context().Process()
    first.start()
    first.join()


def run(act: Callable[..., int], home: Path, *arguments: object, death: Death | None = None) -> Ended:
    """Let a process do `act(home, *arguments)`, and die on the way if so wished; how it ended."""
    home.mkdir(parents=True, exist_ok=True)
    words = home.parent / f"{home.name}.stderr"
    clock = time.perf_counter()
    process = context().Process(target=_live, args=(act, home, arguments, death, words))
    process.start()
    process.join(death.seconds if isinstance(death, After) else None)
    if process.exitcode is None:
        _kill_group(process.pid)
        process.join()
    return Ended(code=process.exitcode, seconds=time.perf_counter() - clock, said=words.read_text())


def night(home: Path, settings: dict[str, Any], server: str, force: bool = False) -> int:
    """`fivefold run` in this home under these settings; its exit code."""
    from prefect.settings import PREFECT_API_URL, PREFECT_FLOWS_HEARTBEAT_FREQUENCY, temporary_settings

    from flows.settings import load_settings
    from flows.tonight import run_night

    with temporary_settings({PREFECT_API_URL: server, PREFECT_FLOWS_HEARTBEAT_FREQUENCY: None}):
        outcome = run_night(load_settings(home=home, **settings), force=force)
    print(outcome.message, file=sys.stderr)
    return outcome.exit_code


def rollback(home: Path, reason: str) -> int:
    """`fivefold rollback` in this home."""
    from flows.rollback import run_rollback

    run_rollback(home, None, reason)
    return 0


def _live(act: Callable[..., int], home: Path, arguments: tuple[object, ...], death: Death | None, words: Path) -> None:
    os.setsid()
    with words.open("w", buffering=1) as stderr:
        os.dup2(stderr.fileno(), 2)
        with death.armed(home) if death else nullcontext():
            code = act(home, *arguments)
    os._exit(code)


def _kill_group(leader: int) -> None:
    # It may not have its group yet, or have ended just now.
    for kill in (os.killpg, os.kill):
        try:
            kill(leader, signal.SIGKILL)
        except ProcessLookupError:
            continue
        return
