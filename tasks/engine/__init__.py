"""Where the heavy part of a night runs: in this process, or on a Ray cluster."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import date
from typing import Protocol

import duckdb
import polars as pl

from mtl_models.milestones import Epoch
from tasks.engine.course import Course
from tasks.night import Night
from tasks.serving import Served

Variables = Mapping[str, float | str | date]


@dataclass(frozen=True)
class Part:
    """Rows of a sample table that are predicted at once: those for which the predicate holds."""

    table: str
    predicate: str


class Engine(Protocol):
    """What engines have in common: equal tables, wherever they are made. Only the night's process writes to `con`."""

    def run_files(
        self,
        con: duckdb.DuckDBPyConnection,
        files: Iterable[str],
        variables: Variables,
        on_file: Callable[[str], None],
    ) -> dict[str, float]:
        """Run SQL files of the build in order, telling `on_file` before each; the seconds that each took. `variables`
        are those that the SQL may ask for, and are set on `con` already."""

    def parts(self, table: str, rows: int) -> list[Part]:
        """How that many rows of a sample table are divided to be predicted."""

    def predict(
        self, con: duckdb.DuckDBPyConnection, served: Sequence[Served], parts: Sequence[Part]
    ) -> Iterator[tuple[str, pl.DataFrame]]:
        """(table, predicted rows) of each part, in order."""

    def train(self, con: duckdb.DuckDBPyConnection, course: Course) -> Iterator[Epoch]:
        """Train the model of the course in place, yielding each pass; `con` is used to write files only."""


@contextmanager
def engine_of(night: Night) -> Iterator[Engine]:
    """The engine that the night's settings name; what it keeps on disk meanwhile is gone afterwards.

    Raises `tasks.engine.cluster.ClusterError` when it cannot be had.
    """
    if night.engine == "local":
        from tasks.engine.local import LocalEngine

        yield LocalEngine(night)
        return
    from tasks.engine.ray_engine import RayEngine

    with closing(RayEngine(night)) as engine:
        yield engine


def shut_down(night: Night) -> None:
    """At the end of the night: end the cluster that it started, or leave the one that it joined."""
    if night.engine == "ray":
        from tasks.engine import cluster

        cluster.leave()
