"""A demo shop that lives day by day, with a truth that nobody who learns from it may see."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path

import polars as pl

from warehouse.sources.demo_shop.decisions import Decisions
from warehouse.sources.demo_shop.sizes import Size


@dataclass(frozen=True)
class Day:
    """What one day brought.

    `feeds`: feed -> the day's new and changed rows in the contract's columns; a changed row has the key of the row it
    replaces. `truth`: name -> rows that the shop's systems cannot know. `ledger`: the day's money (EUR) and service.
    """

    date: date
    feeds: dict[str, pl.DataFrame]
    truth: dict[str, pl.DataFrame]
    ledger: dict[str, float]


class World:
    """The shop. `today` is the day that `live` lives next."""

    @classmethod
    def create(cls, size: Size, seed: int) -> World:
        """The shop on the morning of its first day. The same size and seed give the same shop and the same luck."""
        raise NotImplementedError

    @property
    def today(self) -> date:
        """The day that `live` lives next."""
        raise NotImplementedError

    def opening(self) -> dict[str, pl.DataFrame]:
        """Feed -> rows that exist before the first day; call it before `live`."""
        raise NotImplementedError

    def live(self, decisions: Decisions | None = None) -> Day:
        """Live today under the decisions and move on to tomorrow; DecisionError, and nothing lived, when they name
        what the shop does not know."""
        raise NotImplementedError

    def truth(self) -> dict[str, pl.DataFrame]:
        """name -> what is true of the shop's entities so far: products, users, suppliers."""
        raise NotImplementedError

    def save(self, folder: Path) -> None:
        """Write the world's state, all or nothing; a world loaded from it lives on exactly as this one."""
        raise NotImplementedError

    @classmethod
    def load(cls, folder: Path) -> World:
        """The world that was saved there; FileNotFoundError when there is none."""
        raise NotImplementedError
