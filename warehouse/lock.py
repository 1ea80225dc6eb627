"""One writer at a time: a lock file with a name on it.

The kernel holds the lock (flock) for as long as the process lives, so a killed night never blocks the next
one; what is written in the file only says who it is, or was.
"""

from __future__ import annotations

import fcntl
import json
import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO


@dataclass(frozen=True, kw_only=True)
class Owner:
    """Who holds the warehouse: `name` is the work, such as "night 20180101T020000Z-1a2b"; `since` is UTC, ISO 8601."""

    name: str
    process_id: int
    host: str
    since: str

    def __str__(self) -> str:
        return f"{self.name} (process {self.process_id} on {self.host}, since {self.since})"


class WarehouseBusy(RuntimeError):  # noqa: N818 - named after what is the case
    """Another process writes to the warehouse; the message says which, and what to do."""


def lock_path(home: Path) -> Path:
    """Where the lock of a home folder lies."""
    return home / "night.lock"


@contextmanager
def writing(
    home: Path, name: str, patience_seconds: float = 5.0, patience_with_readers_seconds: float = 120.0
) -> Iterator[Owner]:
    """Within the block this process is the one writer of the home; WarehouseBusy when it cannot be.

    Readers, such as `fivefold what-if`, end by themselves and are waited for; another writer may be at work for hours.
    """
    path = lock_path(home)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+", encoding="utf-8") as file:
        is_taken = _take(file, fcntl.LOCK_EX, patience_seconds)
        if not is_taken and _take(file, fcntl.LOCK_SH):
            is_taken = _take(file, fcntl.LOCK_EX, patience_with_readers_seconds)
        if not is_taken:
            raise _busy(home, file)
        owner = Owner(
            name=name,
            process_id=os.getpid(),
            host=socket.gethostname(),
            since=datetime.now(UTC).isoformat(timespec="seconds"),
        )
        try:
            _write(file, json.dumps(asdict(owner)))
            yield owner
        finally:
            _write(file, "")


@contextmanager
def reading(home: Path) -> Iterator[Owner | None]:
    """Within the block no writer can start, so the warehouse may be opened for reading, and None is yielded;
    where a writer is at work already, it is yielded instead and the warehouse is out of reach."""
    path = lock_path(home)
    if not path.exists():
        yield None
        return
    with path.open("r", encoding="utf-8") as file:
        yield None if _take(file, fcntl.LOCK_SH) else _read(file)


def require_free(home: Path, patience_seconds: float = 5.0) -> None:
    """Make sure that the home can be written and that nobody else writes there for longer than that; WarehouseBusy or
    OSError when not. It holds nothing: this is for saying so before anything slow starts."""
    path = lock_path(home)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+", encoding="utf-8") as file:
        if not _take(file, fcntl.LOCK_SH, patience_seconds):
            raise _busy(home, file)


def current_owner(home: Path) -> Owner | None:
    """Who writes to the home right now; None when nobody does, whatever the file says."""
    with reading(home) as owner:
        return owner


def abandoned_by(home: Path) -> Owner | None:
    """Who left the lock file without signing off, because the process was killed; None if all is well."""
    path = lock_path(home)
    if not path.exists():
        return None
    with path.open("r", encoding="utf-8") as file:
        return _read(file) if _take(file, fcntl.LOCK_SH) else None


def _busy(home: Path, file: IO[str]) -> WarehouseBusy:
    return WarehouseBusy(
        f"{home} is in use by {_read(file) or 'a process that reads it'}. "
        "Remedy: wait until it has ended, or end that process; its lock goes with it."
    )


def _take(file: IO[str], kind: int, patience_seconds: float = 0.0) -> bool:
    """Whether the lock was got; it goes when the file is closed."""
    deadline = time.monotonic() + patience_seconds
    while True:
        try:
            fcntl.flock(file, kind | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= deadline:
                return False
            time.sleep(0.05)
        else:
            return True


def _read(file: IO[str]) -> Owner | None:
    """Who the file names; None when it names nobody."""
    file.seek(0)
    text = file.read()
    try:
        return Owner(**json.loads(text)) if text else None
    except (ValueError, TypeError):
        return Owner(name="an unreadable lock file", process_id=0, host="unknown", since="unknown")


def _write(file: IO[str], text: str) -> None:
    file.seek(0)
    file.truncate()
    file.write(text)
    file.flush()
