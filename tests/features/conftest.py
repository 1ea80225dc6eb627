"""Shops for the features: an empty one, and a small one with every feed that follows from a formula."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date

import duckdb
import pytest

from tasks.build_features import build_features
from tasks.night import FeatureConfig, Night
from tests.features.rows import AS_OF, SMALL_SHOP, EmptyShop, MakeNight
from warehouse.connect import open_memory
from warehouse.migrate import migrate


@pytest.fixture(scope="session")
def make_night(tmp_path_factory: pytest.TempPathFactory) -> MakeNight:
    """A night as of a date, with feature settings by name."""
    home = tmp_path_factory.mktemp("home")

    def make(as_of: date = AS_OF, time_zone: str = "UTC", **features: int) -> Night:
        settings = FeatureConfig(**features)
        return Night(run_id="night", as_of_date=as_of, source="test", home=home, time_zone=time_zone, features=settings)

    return make


@pytest.fixture(scope="session")
def empty_shop() -> EmptyShop:
    """A context manager for an empty warehouse."""

    @contextmanager
    def open_empty() -> Iterator[duckdb.DuckDBPyConnection]:
        with open_memory() as con:
            migrate(con)
            yield con

    return open_empty


@pytest.fixture
def con(empty_shop: EmptyShop) -> Iterator[duckdb.DuckDBPyConnection]:
    """An empty warehouse."""
    with empty_shop() as con:
        yield con


@pytest.fixture
def small_shop(con: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyConnection:
    """The small shop's feeds, nothing built."""
    con.execute(SMALL_SHOP)
    return con


@pytest.fixture(scope="session")
def built_shop(empty_shop: EmptyShop, make_night: MakeNight) -> Iterator[duckdb.DuckDBPyConnection]:
    """The small shop with everything built as of 14 October 2024. Do not change it."""
    with empty_shop() as con:
        con.execute(SMALL_SHOP)
        build_features(con, make_night())
        yield con
