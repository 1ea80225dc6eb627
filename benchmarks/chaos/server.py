"""A Prefect server that is killed while the night that started it is at work: the real command, as users run it."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from chaos import verdicts
from chaos.machine import Trouble
from chaos.stages import QUICK

from flows.settings_file import change_file
from tests.shop import Shop, write_shop

STEPS = ("train_model", "publish_release", "ingest_feeds")
# A night that waits for a server that is gone must not wait for ever.
_MOST_SECONDS = 240.0


def killed_at(folder: Path, ends: float) -> Iterator[Trouble]:
    """A night for each of these steps, at whose end its server dies; and each time one more, undisturbed. None begins
    after `ends` (monotonic seconds)."""
    folder.mkdir(parents=True)
    shop = write_shop(folder / "shop", Shop())
    change_file(folder / "fivefold.toml", QUICK)
    for step in STEPS:
        if time.monotonic() > ends:
            return
        code, said = _night(folder, shop, step, kill_server_after=step)
        faults = [fault] if (fault := verdicts.one_whole_night(folder / step / "published.duckdb")) else []
        again, words = _night(folder, shop, step)
        faults += [f"ended with {again} when run again: {words}"] if again else verdicts.leftovers(folder / step)
        yield Trouble(trouble=f"server killed after {step}", code=code, said=said, faults=tuple(faults))


def _night(folder: Path, shop: Path, home: str, kill_server_after: str | None = None) -> tuple[int, str]:
    """`fivefold run`: its exit code, and how it says that it ended."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("FIVEFOLD_", "PREFECT_"))}
    process = subprocess.Popen(
        [sys.executable, "-m", "flows.cli", "run", "--home", home, "--source", f"files:{shop}"],
        cwd=folder,
        env=environment | {"HOME": str(folder)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    watchdog = threading.Timer(_MOST_SECONDS, process.kill)
    watchdog.start()
    said = ""
    for line in process.stderr or ():
        # Prefect has its own last words, about logs that it could not deliver, before them on the same line too.
        ending = re.search("(error: |released |nothing has |Traceback).*", line)
        said = ending.group() if ending else said
        if kill_server_after and f" {kill_server_after} " in line and line[0].isdigit():
            _kill_servers_of(process.pid)
    watchdog.cancel()
    return process.wait(), said


def _kill_servers_of(night: int) -> None:
    children = [file.read_text().split() for file in Path(f"/proc/{night}/task").glob("*/children")]
    for child in (int(number) for numbers in children for number in numbers):
        if "flows.temporary_server" in Path(f"/proc/{child}/cmdline").read_text():
            os.kill(child, signal.SIGKILL)
