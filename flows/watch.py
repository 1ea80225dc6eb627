"""Who watches a night: the terminal, the Prefect page, a script."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Protocol

from tasks.night import Night


class Watcher(Protocol):
    """Hears what a night does, in this order: began, then for each step started, said (often), ended."""

    def began(self, night: Night) -> None:
        """The night has its name and its day."""

    def noted(self, line: str) -> None:
        """Something that people should know and no step says: what a killed process left, and that it is mended."""

    def started(self, step: str, number: int, of: int) -> None:
        """A step starts; it is the `number`-th `of` all."""

    def said(self, message: str, done: float | None) -> None:
        """The step is at `done` (0 to 1) of its work, where that is known."""

    def ended(self, step: str, seconds: float, detail: str) -> None:
        """The step is complete; `detail` says what it did."""


_watchers: ContextVar[tuple[Watcher, ...]] = ContextVar("watchers", default=())


@contextmanager
def watched_by(watcher: Watcher) -> Iterator[None]:
    """Nights that start within the block are watched by this watcher too."""
    token = _watchers.set((*_watchers.get(), watcher))
    try:
        yield
    finally:
        _watchers.reset(token)


def watchers() -> Sequence[Watcher]:
    """Everybody who watches here."""
    return _watchers.get()
