"""A folder of feeds that a test writes and loads, and empty warehouses that open in milliseconds."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb

from warehouse.connect import open_warehouse
from warehouse.contracts import feed
from warehouse.ingest import FeedLoad, load_feed
from warehouse.migrate import migrate
from warehouse.sources import open_source


@cache
def _template() -> tuple[TemporaryDirectory[str], Path]:
    """A migrated warehouse to copy: creating every table with its comments takes a second. Goes with the process."""
    folder = TemporaryDirectory(prefix="fivefold-template-")
    path = Path(folder.name) / "warehouse.duckdb"
    with open_warehouse(path) as con:
        migrate(con)
    return folder, path


@contextmanager
def empty_warehouse(path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """An open, migrated warehouse at the path."""
    shutil.copy(_template()[1], path)
    with open_warehouse(path) as con:
        yield con


class Folder:
    """A folder of feeds beside a warehouse."""

    def __init__(self, path: Path, con: duckdb.DuckDBPyConnection) -> None:
        self.path, self.con = path, con

    def write(self, name: str, content: str | bytes) -> Path:
        file = self.path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content.encode() if isinstance(content, str) else content)
        return file

    def load(self, name: str, run_id: str = "night") -> FeedLoad:
        return load_feed(self.con, open_source(f"files:{self.path}"), feed(name), run_id)

    def rows(self, sql: str) -> list[tuple]:
        return self.con.execute(sql).fetchall()
