"""Which code made a night."""

from __future__ import annotations

import hashlib
from functools import cache
from importlib.metadata import version
from pathlib import Path

PACKAGES = ("flows", "tasks", "mtl_models", "warehouse")


@cache
def code_version() -> str:
    """The released version and a hash of every module and SQL file, such as 0.1.0+3f2a9c1d: a change of one
    character is another version, so that a night is never taken for finished under older code."""
    root = Path(__file__).parent.parent
    digest = hashlib.sha256()
    for package in PACKAGES:
        for file in sorted((root / package).rglob("*")):
            if file.suffix in (".py", ".sql"):
                digest.update(str(file.relative_to(root)).encode())
                digest.update(file.read_bytes())
    return f"{version('fivefold')}+{digest.hexdigest()[:8]}"
