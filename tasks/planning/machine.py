"""What this machine has."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

GIB = float(1 << 30)
# The memory that a container may use, where it is less than the machine's.
CONTAINER_LIMIT = Path("/sys/fs/cgroup/memory.max")


@dataclass(frozen=True, kw_only=True)
class Machine:
    """Cores, GiB of memory, and GiB of disk that are free for the home."""

    cores: int
    memory_gib: float
    disk_gib: float


def this_machine(home: Path) -> Machine:
    """This one; `home` may not exist yet."""
    return Machine(
        cores=len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1,
        memory_gib=_memory_bytes() / GIB,
        disk_gib=shutil.disk_usage(nearest_existing(home)).free / GIB,
    )


def nearest_existing(folder: Path) -> Path:
    """The folder, or the nearest one above it that exists."""
    folder = folder.resolve()
    while not folder.exists():
        folder = folder.parent
    return folder


def _memory_bytes() -> int:
    whole = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    limit = CONTAINER_LIMIT.read_text().strip() if CONTAINER_LIMIT.exists() else "max"
    return min(whole, int(limit)) if limit.isdigit() else whole
