"""The tables that the model tasks read, made in SQL: 100 users and 40 products whose habits are plain to see."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import duckdb

from mtl_models.config import ModelConfig
from tasks.night import Night
from warehouse.migrate import migrate

AS_OF = date(2024, 6, 24)
MODEL = ModelConfig(slot_width=16, trunk_widths=(32, 24), id_embedding_width=4, batch_rows=512, max_epochs=4)
TABLES = Path(__file__).with_suffix(".sql").read_text(encoding="utf-8")


def fill(con: duckdb.DuckDBPyConnection, as_of: date = AS_OF) -> None:
    """Make every table that the model tasks read, as of that day."""
    migrate(con)
    con.execute(TABLES.replace("$as_of", f"date '{as_of}'"))


def night_of(home: Path, run_id: str = "night-1", as_of: date = AS_OF, model: ModelConfig = MODEL) -> Night:
    """A night on the small warehouse."""
    return Night(run_id=run_id, as_of_date=as_of, source="files", home=home, model=model)


def begin(con: duckdb.DuckDBPyConnection, night: Night) -> None:
    """The night's line in the diary; those before it are released."""
    con.execute("update ops.runs set status = 'released'")
    con.execute(
        """insert into ops.runs (run_id, as_of_date, source, status, started_at)
        values ($1, $2, 'files', 'running', now())""",
        [night.run_id, night.as_of_date],
    )
