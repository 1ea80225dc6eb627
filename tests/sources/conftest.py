from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from tests.landing import Folder, empty_warehouse


@pytest.fixture
def con(tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    """An empty warehouse."""
    with empty_warehouse(tmp_path_factory.mktemp("home") / "warehouse.duckdb") as con:
        yield con


@pytest.fixture
def folder(tmp_path: Path, con: duckdb.DuckDBPyConnection) -> Folder:
    """An empty folder of feeds."""
    return Folder(tmp_path, con)
