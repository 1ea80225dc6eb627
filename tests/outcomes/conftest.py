"""A shop whose feeds follow from a formula, built as of a day, and nights released five weeks before."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import duckdb
import pytest

from tasks.build_features import build_features
from tasks.night import MonitoringConfig, Night
from tests.features.rows import AS_OF, SMALL_SHOP
from warehouse.connect import open_memory
from warehouse.contracts.kept import KEPT_TABLES
from warehouse.migrate import migrate

# Long enough ago that 28 days have passed, and so lately that they are still scored.
EARLIER = AS_OF - timedelta(days=35)
OPS = ("outcomes", "outcome_calibration", "alerts", "drift_metrics", "releases", "runs", "model_metrics", "head_status")


def night_of(as_of: date = AS_OF, run_id: str = "tonight", **monitoring: float) -> Night:
    terms = MonitoringConfig(**{"minimum_rows": 2} | monitoring)
    return Night(run_id=run_id, as_of_date=as_of, source="test", home=Path("unused"), monitoring=terms)


def release(con: duckdb.DuckDBPyConnection, run_id: str, as_of: date, kind: str = "release") -> None:
    """The diary of a night that was released, or to which readers were taken back."""
    con.execute(
        """insert into ops.releases by name
        select coalesce(max(release_number), 0) + 1 as release_number, $1 as run_id, $2 as as_of_date, $3 as kind
        from ops.releases""",
        [run_id, as_of, kind],
    )
    con.execute(
        """insert into ops.runs by name
        select $1 as run_id, $2 as as_of_date, 'released' as status, timestamp '2024-01-01' as started_at
        where $3 = 'release'""",
        [run_id, as_of, kind],
    )


@pytest.fixture(scope="session")
def built() -> Iterator[duckdb.DuckDBPyConnection]:
    with open_memory() as con:
        migrate(con)
        con.execute(SMALL_SHOP)
        build_features(con, night_of())
        yield con


@pytest.fixture
def shop(built: duckdb.DuckDBPyConnection) -> Iterator[duckdb.DuckDBPyConnection]:
    """The built shop; kept rows and the diary of a test are gone after it."""
    yield built
    for name in [table.qualified_name for table in KEPT_TABLES] + [f"ops.{name}" for name in OPS]:
        built.execute(f"delete from {name}")
