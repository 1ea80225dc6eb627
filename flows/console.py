"""A night on the terminal: a moving line where people watch, plain lines where a file or cron does."""

from __future__ import annotations

from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from tasks.night import Night

# Everything said on the way goes to stderr; stdout carries the answer alone.
err = Console(stderr=True, highlight=False, soft_wrap=True)


class ConsoleWatcher:
    """A watcher that writes to the terminal; use it as a context manager. `is_quiet` keeps it silent.

    It remembers the night, for those who want to tell about it afterwards.
    """

    def __init__(self, is_quiet: bool = False) -> None:
        self.night: Night | None = None
        self._is_quiet = is_quiet
        self._progress = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=20),
            TimeElapsedColumn(),
            console=err,
            transient=True,
            disable=is_quiet or not err.is_terminal,
        )
        self._line = self._progress.add_task("starting", total=None)
        self._title = ""

    def __enter__(self) -> ConsoleWatcher:
        self._progress.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._progress.stop()

    def began(self, night: Night) -> None:
        """Say which night it is."""
        self.night = night
        self._print(f"night of {night.as_of_date} on {night.source}, run {night.run_id}, home {night.home}")

    def started(self, step: str, number: int, of: int) -> None:
        """Show the step with an empty bar."""
        self._title = f"{number}/{of} {step}"
        self._progress.reset(self._line, description=self._title, total=None)

    def said(self, message: str, done: float | None) -> None:
        """Show what the step says, and move its bar where it knows how far it is."""
        total, completed = (None, 0.0) if done is None else (1.0, done)
        self._progress.update(self._line, description=f"{self._title}: {message}", total=total, completed=completed)

    def ended(self, step: str, seconds: float, detail: str) -> None:
        """Leave a line behind."""
        self._print(f"{self._title:<22} {seconds:7.1f} s  {detail}")

    def _print(self, line: str) -> None:
        if not self._is_quiet:
            err.print(line, markup=False)
