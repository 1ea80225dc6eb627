"""A text file that is whole or not there, whatever happens to who writes it."""

from __future__ import annotations

import os
from pathlib import Path

UNFINISHED = ".part"


def write_text_whole(text: str, path: Path) -> None:
    """Write the text aside and give the file its name when it is complete; what is unfinished has a name that no reader
    of such files looks for."""
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(f"{path.name}{UNFINISHED}")
    aside.write_text(text, encoding="utf-8")
    os.replace(aside, path)  # noqa: PTH105 - Path.replace says the same less clearly
