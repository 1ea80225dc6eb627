"""When a process is to die: at a word of the night, or just before it changes a name below its home.

Nothing of this is in the application: a night has watchers anyway, and the interpreter tells its audit hooks of every
file that is made, renamed or removed.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from flows.watch import watched_by
from tasks.night import Night

# What changes names or modes, and what opens a file or folder: then the change before it has happened.
_CHANGES = {"open", "os.rename", "os.remove", "os.symlink", "os.mkdir", "os.rmdir", "os.chmod", "shutil.rmtree"}


def die() -> None:
    """SIGKILL to this process and all that it started in its group."""
    os.killpg(0, signal.SIGKILL)


@dataclass(frozen=True)
class AtStep:
    """When a step of the night starts, or has ended."""

    step: str
    moment: Literal["started", "ended"]

    def __str__(self) -> str:
        return f"{self.step} {self.moment}"

    @contextmanager
    def armed(self, home: Path) -> Iterator[None]:
        """Within the block the process dies there."""
        with watched_by(_Listener(self)):
            yield


@dataclass(frozen=True)
class AtChange:
    """Just before the `number`-th change of a name below the home, counted from the start of `step` or of the block."""

    number: int
    step: str = ""

    def __str__(self) -> str:
        return f"change {self.number} of {self.step or 'the process'}"

    @contextmanager
    def armed(self, home: Path) -> Iterator[None]:
        """Within the block the process dies there."""
        listener = _Listener(AtStep(self.step, "started"), dies=False)
        below = f"{home.resolve()}/"
        counted = 0

        def audit(event: str, arguments: tuple[object, ...]) -> None:
            nonlocal counted
            if event not in _CHANGES or (self.step and not listener.is_reached):
                return
            counted += any(f"{name}/".startswith(below) for name in arguments if isinstance(name, str | Path))
            if counted == self.number:
                die()

        sys.addaudithook(audit)  # for good: the process does nothing else
        with watched_by(listener):
            yield


@dataclass(frozen=True)
class After:
    """So many seconds after its start, wherever it is then: from outside."""

    seconds: float

    def __str__(self) -> str:
        return f"after {self.seconds:.2f} s"

    @contextmanager
    def armed(self, home: Path) -> Iterator[None]:
        """Nothing happens."""
        yield


Death = AtStep | AtChange | After


class _Listener:
    """A watcher that dies at a step's moment, or remembers that it was reached."""

    def __init__(self, at: AtStep, dies: bool = True) -> None:
        self.at, self.dies, self.is_reached = at, dies, False

    def began(self, night: Night) -> None:
        self._hear("", "started")

    def noted(self, line: str) -> None:
        pass

    def started(self, step: str, number: int, of: int) -> None:
        self._hear(step, "started")

    def said(self, message: str, done: float | None) -> None:
        pass

    def ended(self, step: str, seconds: float, detail: str) -> None:
        self._hear(step, "ended")

    def _hear(self, step: str, moment: str) -> None:
        if (step, moment) == (self.at.step, self.at.moment):
            self.is_reached = True
            if self.dies:
                die()
