from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
import pytest

from tests.hostile.good import as_csv, known_rows
from tests.hostile.outcome import KNOWN, forget
from tests.landing import empty_warehouse
from warehouse.ingest import load_feed
from warehouse.sources import open_source


@contextmanager
def known_shop(home: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """A warehouse that knows the users, products, orders and sites that good rows name."""
    feeds = home / "known"
    for table in KNOWN:
        (feeds / table.name).mkdir(parents=True)
        rows = "site_id,site_type\nnorth,store\n" if table.name == "sites" else as_csv(known_rows(table.name))
        (feeds / table.name / "known.csv").write_text(rows)
    with empty_warehouse(home / "warehouse.duckdb") as con:
        for table in KNOWN:
            load_feed(con, open_source(f"files:{feeds}"), table, "before")
        con.execute("update ops.loads set validated_by = 'before'")
        yield con


@pytest.fixture(scope="session")
def shop_of_all(tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    """One warehouse for every case."""
    with known_shop(tmp_path_factory.mktemp("hostile")) as con:
        yield con


@pytest.fixture
def con(shop_of_all: duckdb.DuckDBPyConnection, request: pytest.FixtureRequest) -> Iterator[duckdb.DuckDBPyConnection]:
    """The same, without what the case before has loaded."""
    yield shop_of_all
    case = getattr(request.node, "callspec", None)
    forget(shop_of_all, case.params["case"].feed if case and "case" in case.params else "order_lines")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "feeds"
