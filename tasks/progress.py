"""How long steps say where they are, without knowing who listens."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

Listener = Callable[[str, float | None], None]

_listener: ContextVar[Listener | None] = ContextVar("progress_listener", default=None)


def report(message: str, done: float | None = None) -> None:
    """Tell whoever listens: what is going on, and the share that is done (0 to 1) where it is known."""
    listener = _listener.get()
    if listener is not None:
        listener(message, done)


@contextmanager
def listening(listener: Listener) -> Iterator[None]:
    """Within the block, progress goes to this listener."""
    token = _listener.set(listener)
    try:
        yield
    finally:
        _listener.reset(token)


@contextmanager
def listening_too(listener: Listener) -> Iterator[None]:
    """Within the block, progress goes to this listener as well as to the one before."""
    before = _listener.get()

    def both(message: str, done: float | None) -> None:
        if before:
            before(message, done)
        listener(message, done)

    with listening(both):
        yield
