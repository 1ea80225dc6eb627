"""From where to where a trial goes, and how an undisturbed twin ends there."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from chaos import verdicts, victims, windows
from chaos.verdicts import Contents

from tests.shop import Shop, write_shop

# The shortest night in which heads are released: what is tried is the order of things, not what is learned.
QUICK: dict[str, Any] = {
    "features": {"train_cutoffs": 2, "candidates_per_user": 20, "similarity_products": 60, "demand_products": 60},
    "model": {"max_epochs": 2, "warm_max_epochs": 1, "finish_epochs": 0, "batch_rows": 512},
    "explanations": {"rows_per_table": 20},
}


@dataclass(frozen=True, kw_only=True)
class Stage:
    """`act(home, *arguments)` leads from a copy of the home `before` to what `published` and `loaded` say, in so many
    seconds when nobody disturbs it."""

    name: str
    before: Path
    act: Callable[..., int]
    arguments: tuple[object, ...]
    published: Contents
    loaded: Contents
    seconds: float


def stage(name: str, before: Path, act: Callable[..., int], *arguments: object) -> Stage:
    """The stage, with an undisturbed twin's end as what it leads to."""
    twin = before.with_name(f"{before.name}-{name.replace(' ', '-')}-twin")
    copy_home(before, twin)
    ended = victims.run(act, twin, *arguments)
    if ended.code:
        raise RuntimeError(f"the undisturbed {name} ended with {ended.code}: {ended.said}")
    found = Stage(
        name=name,
        before=before,
        act=act,
        arguments=arguments,
        published=verdicts.published(twin / "published.duckdb"),
        loaded=verdicts.loaded(twin),
        seconds=ended.seconds,
    )
    shutil.rmtree(twin)
    return found


def publishing(folder: Path) -> tuple[Stage, Stage]:
    """The publishing of a second night, and the way back from there to the first."""
    one, two = folder / "one", folder / "two"
    windows.prepare(one)
    windows.publish(one, 0)
    copy_home(one, two)
    windows.publish(two, 1)
    return stage("publishing", one, windows.publish_quietly, 1), stage("rollback", two, victims.rollback, "chaos")


def first_night(folder: Path, server: str) -> Stage:
    """A night in a home where none has been."""
    shop = write_shop(folder / "shop", Shop())
    return stage("first night", folder / "nothing", victims.night, QUICK | {"source": f"files:{shop}"}, server)


def next_night(folder: Path, server: str) -> Stage:
    """The night a week later: every feed has a new version, so that each row of the night before is replaced."""
    shop, home = write_shop(folder / "shop", Shop()), folder / "yesterday"
    settings = QUICK | {"source": f"files:{shop}"}
    ended = victims.run(victims.night, home, settings, server)
    if ended.code:
        raise RuntimeError(f"the night before ended with {ended.code}: {ended.said}")
    write_shop(shop, Shop(days=Shop.days + 7))
    return stage("next night", home, victims.night, settings, server)


def copy_home(before: Path, home: Path) -> None:
    """The home as it was before; nothing where there was none."""
    shutil.rmtree(home, ignore_errors=True)
    if before.exists():
        shutil.copytree(before, home, symlinks=True)
