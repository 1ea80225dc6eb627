"""A night on the terminal: a moving line where people watch, plain lines where a file or cron does."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from tasks.night import Night

# Everything said on the way goes to stderr; stdout carries the answer alone.
err = Console(stderr=True, highlight=False, soft_wrap=True)


class MovingLine:
    """A line with a bar that moves while somebody watches, and the lines that it leaves behind; use it as a context
    manager. Without a terminal only those are written; `is_quiet` keeps it silent."""

    def __init__(self, is_quiet: bool = False) -> None:
        self.moves = err.is_terminal and not is_quiet
        self._is_quiet = is_quiet
        self._progress = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=20),
            TimeElapsedColumn(),
            console=err,
            transient=True,
            disable=not self.moves,
        )
        self._line = self._progress.add_task("starting", total=None)

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._progress.stop()

    def begin(self, description: str) -> None:
        """Show it with an empty bar, the clock at zero."""
        self._progress.reset(self._line, description=description, total=None)

    def move(self, description: str, done: float | None) -> None:
        """Show it, with the bar at `done` (0 to 1) where that is known."""
        total, completed = (None, 0.0) if done is None else (1.0, done)
        self._progress.update(self._line, description=description, total=total, completed=completed)

    def leave(self, line: str) -> None:
        """Write a line that stays."""
        if not self._is_quiet:
            err.print(line, markup=False)


class ConsoleWatcher(MovingLine):
    """A watcher that writes to the terminal.

    It remembers the night, for those who want to tell about it afterwards.
    """

    def __init__(self, is_quiet: bool = False) -> None:
        super().__init__(is_quiet)
        self.night: Night | None = None
        self._title = ""

    def began(self, night: Night) -> None:
        """Say which night it is."""
        self.night = night
        self.leave(f"night of {night.as_of_date} on {night.source}, run {night.run_id}, home {night.home}")

    def noted(self, line: str) -> None:
        """Leave a line behind."""
        self.leave(f"note: {line}")

    def started(self, step: str, number: int, of: int) -> None:
        """Show the step with an empty bar."""
        self._title = f"{number}/{of} {step}"
        self.begin(self._title)

    def said(self, message: str, done: float | None) -> None:
        """Show what the step says, and move its bar where it knows how far it is."""
        self.move(f"{self._title}: {message}", done)

    def ended(self, step: str, seconds: float, detail: str) -> None:
        """Leave a line behind."""
        self.leave(f"{self._title:<22} {seconds:7.1f} s  {detail}")
