"""The engine `local`: everything in the night's own process."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

import duckdb
import polars as pl

from mtl_models.milestones import Epoch
from tasks.engine import Part, Variables
from tasks.engine.course import Course
from tasks.night import Night
from tasks.predict_heads import predict_part
from tasks.progress import report
from tasks.row_limits import parts
from tasks.serving import Served, load_served
from warehouse import build


class LocalEngine:
    """SQL over the warehouse itself, models in this process."""

    def __init__(self, night: Night) -> None:
        self.night = night

    def run_files(
        self,
        con: duckdb.DuckDBPyConnection,
        files: Iterable[str],
        variables: Variables,
        on_file: Callable[[str], None],
    ) -> dict[str, float]:
        """As `Engine.run_files`."""
        return build.run_files(con, files, on_file)

    def parts(self, table: str, rows: int) -> list[Part]:
        """One part, or as many as memory wants."""
        return [Part(table, predicate) for predicate in parts(table, rows, self.night.model.most_rows)]

    def predict(
        self, con: duckdb.DuckDBPyConnection, served: Sequence[Served], parts: Sequence[Part]
    ) -> Iterator[tuple[str, pl.DataFrame]]:
        """As `Engine.predict`; a part is computed when it is asked for."""
        serving = load_served(served)
        for done, part in enumerate(parts):
            report(f"predicting {part.table}", done / len(parts))
            yield part.table, predict_part(con, serving, part)

    def train(self, con: duckdb.DuckDBPyConnection, course: Course) -> Iterator[Epoch]:
        """As `Engine.train`, each pass when it has ended."""
        return course.learn()
