from __future__ import annotations

from dataclasses import dataclass

import polars as pl
import pytest

from warehouse.sources.demo_shop.sizes import SIZES
from warehouse.sources.demo_shop.world import Day, World

DAYS = 60


@dataclass(frozen=True)
class Lived:
    """A tiny shop after DAYS days under its own habits."""

    world: World
    opening: dict[str, pl.DataFrame]
    days: list[Day]

    def feed(self, name: str) -> pl.DataFrame:
        """Every delivered row of a feed, in the order of delivery."""
        frames = [self.opening, *(day.feeds for day in self.days)]
        return pl.concat([feeds[name] for feeds in frames if name in feeds])

    def truth(self, name: str) -> pl.DataFrame:
        return pl.concat([day.truth[name] for day in self.days])


@pytest.fixture(scope="session")
def lived() -> Lived:
    """Do not live on here."""
    world = World.create(SIZES["tiny"], seed=3)
    return Lived(world, world.opening(), [world.live() for _ in range(DAYS)])
