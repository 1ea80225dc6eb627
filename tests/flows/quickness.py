"""How much processor time a command takes, told so that a busy machine does not count."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

# The least that any command line with pages of help has to load.
BARE = (sys.executable, "-c", "import typer.main, rich.console")


def times_bare(command: Sequence[str], folder: Path) -> float:
    """Processor time of the command as a multiple of that of a bare command line; the least of three tries of each, in
    turns, for neighbours on the same core slow both."""
    tries = [(_cpu_seconds(command, folder), _cpu_seconds(BARE, folder)) for _ in range(3)]
    return min(taken for taken, _ in tries) / min(bare for _, bare in tries)


def _cpu_seconds(command: Sequence[str], folder: Path) -> float:
    before = os.times()
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    after = os.times()
    return after.children_user + after.children_system - before.children_user - before.children_system
