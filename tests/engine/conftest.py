"""Two nights for the engines: a small shop's feeds, and the model tasks' small warehouse with a trained model."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import duckdb
import pytest

from tasks.evaluate_heads import evaluate_heads
from tasks.night import FeatureConfig, Night
from tasks.predict_heads import predict_heads
from tasks.train_model import train_model
from tests.features.rows import AS_OF, SMALL_SHOP
from tests.model_tasks.small_warehouse import MODEL, begin, fill, night_of
from warehouse.connect import open_memory, open_warehouse
from warehouse.digest import digest_rows
from warehouse.migrate import migrate

MakeShop = Callable[[], duckdb.DuckDBPyConnection]


@pytest.fixture
def shop_con() -> Iterator[duckdb.DuckDBPyConnection]:
    """The small shop's feeds, nothing built."""
    with open_memory() as con:
        migrate(con)
        con.execute(SMALL_SHOP)
        yield con


@pytest.fixture
def shop_night(tmp_path: Path) -> Night:
    """A night on them."""
    return Night(run_id="night", as_of_date=AS_OF, source="test", home=tmp_path, features=FeatureConfig())


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[duckdb.DuckDBPyConnection, Night]]:
    """A night on the small warehouse up to its local predictions."""
    home = tmp_path_factory.mktemp("trained")
    with open_warehouse(home / "warehouse.duckdb") as con:
        fill(con)
        night = night_of(home, model=MODEL.model_copy(update={"max_epochs": 2}))
        begin(con, night)
        train_model(con, night)
        evaluate_heads(con, night)
        # Two passes teach little; what every head predicts is wanted all the same.
        con.execute(
            """update ops.head_status set status = 'released', model_version = (
                select any_value(model_version) from ops.head_status where status = 'released'
            ) where status = 'not_released'"""
        )
        predict_heads(con, night)
        yield con, night


def tables(con: duckdb.DuckDBPyConnection, *schemas: str) -> dict[str, tuple[str, ...]]:
    """{table: its types and a digest of every bit of its rows} of these schemas."""
    found = con.execute(
        """select schema_name || '.' || table_name, list(column_name || ' ' || data_type order by column_index),
            list(column_name order by column_index)
        from duckdb_columns() where schema_name in (select unnest($1)) group by all order by all""",
        [list(schemas)],
    ).fetchall()
    return {name: (*types, digest_rows(con, name, columns)) for name, types, columns in found}
