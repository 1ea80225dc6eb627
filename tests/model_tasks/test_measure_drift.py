"""Drift of a night on the small warehouse: none where nothing was changed, and what was changed by name."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from tasks.measure_drift import measure_drift
from tasks.night import MonitoringConfig, Night
from tests.model_tasks.conftest import Done
from warehouse.connect import open_warehouse


@pytest.fixture
def tonight(done: Done) -> Night:
    """The night of `done`, in a shop so small that a hundred rows must do."""
    return done.night.model_copy(update={"monitoring": MonitoringConfig(minimum_rows=20)})


@pytest.fixture
def copied(done: Done, tmp_path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """A copy of the warehouse after that night, to be changed at will."""
    done.con.execute("checkpoint")
    path = Path(shutil.copy(done.night.warehouse_path, tmp_path / "warehouse.duckdb"))
    with open_warehouse(path) as con:
        yield con


def test_every_feature_and_prediction_is_compared_with_the_training_window(
    copied: duckdb.DuckDBPyConnection, tonight: Night
) -> None:
    measure_drift(copied, tonight)
    rows = copied.execute("select distinct kind, split_part(subject, '.', 1) from ops.drift_metrics").fetchall()
    assert {("feature", "users"), ("feature", "products"), ("prediction", "profile"), ("table", "users")} <= set(rows)
    sizes = copied.execute(
        "select min(reference_rows), min(current_rows), min(value) from ops.drift_metrics"
    ).fetchall()
    keys = "select count(*), count(distinct (subject, metric)) from ops.drift_metrics"
    ((rows, named),) = copied.execute(keys).fetchall()
    assert rows == named
    assert sizes[0][0] >= 20 and sizes[0][1] >= 20 and sizes[0][2] >= 0
    assert copied.execute("select count(*) from ops.drift_metrics where value is null").fetchall() == [(0,)]


def test_a_feature_that_was_shifted_is_found(copied: duckdb.DuckDBPyConnection, tonight: Night) -> None:
    (name,) = copied.execute(
        """select column_name from duckdb_columns() where schema_name = 'features' and table_name = 'users'
        and data_type = 'DOUBLE' order by column_name limit 1"""
    ).fetchall()[0]
    largest = f"(select max({name}) from features.users)"
    copied.execute(
        f"update features.users set {name} = {largest} + 1 + {name} where cutoff_date = $1", [tonight.as_of_date]
    )
    report = measure_drift(copied, tonight)
    assert f"users.{name}" in report.moved
    ((value, reference, current, is_alert),) = copied.execute(
        """select value, reference_mean, current_mean, is_alert from ops.drift_metrics
        where subject = $1 and run_id = $2""",
        [f"users.{name}", tonight.run_id],
    ).fetchall()
    assert value > 1 and current > reference and is_alert
    ((auc, detail),) = copied.execute(
        "select value, detail from ops.drift_metrics where subject = 'users' and metric = 'domain_auc'"
    ).fetchall()
    assert auc > 0.85 and f"told by {name}" in detail


def test_measuring_twice_changes_nothing(copied: duckdb.DuckDBPyConnection, tonight: Night) -> None:
    measure_drift(copied, tonight)
    first = copied.execute("from ops.drift_metrics order by all").fetchall()
    measure_drift(copied, tonight)
    assert copied.execute("from ops.drift_metrics order by all").fetchall() == first and first


def test_a_shop_with_too_few_rows_has_nothing_to_compare(copied: duckdb.DuckDBPyConnection, tonight: Night) -> None:
    few = tonight.model_copy(update={"monitoring": MonitoringConfig(minimum_rows=100_000)})
    assert measure_drift(copied, few).compared == 0


def test_a_head_that_no_model_serves_has_no_predictions_to_compare(
    copied: duckdb.DuckDBPyConnection, tonight: Night
) -> None:
    copied.execute("update ops.head_status set status = 'not_released'")
    measure_drift(copied, tonight)
    kinds = copied.execute("select distinct kind from ops.drift_metrics order by all").fetchall()
    assert kinds == [("feature",), ("table",)]
