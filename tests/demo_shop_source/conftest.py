from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from warehouse.sources import open_source

# Dirt enough to meet most kinds within a few weeks, and not so much that it stops a night.
SOURCE = "demo_shop:tiny?seed=2&dirt_ratio=0.004"
AS_OF = date(2026, 3, 2)


def live(home: Path, as_of: date, source: str = SOURCE) -> list[str]:
    """Let the shop live until the day; what it said on the way."""
    said: list[str] = []
    open_source(source, as_of, home).prepare(lambda message, done: said.append(message))
    return said


@pytest.fixture(scope="session")
def lived_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home in which the shop has lived until AS_OF. Do not live on here."""
    home = tmp_path_factory.mktemp("lived")
    live(home, AS_OF)
    return home
