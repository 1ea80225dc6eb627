"""Great Expectations at work: one suite per feed, run over the pipeline's own connection."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import great_expectations as gx
from great_expectations.core.run_identifier import RunIdentifier
from great_expectations.data_context.types.base import (
    DataContextConfig,
    InMemoryStoreBackendDefaults,
    ProgressBarsConfig,
)

from warehouse.contracts.table import Rule
from warehouse.validation.data_docs import write_data_docs
from warehouse.validation.dialect import connection_string
from warehouse.validation.expectations import broken_rows, expectation_for
from warehouse.validation.results import Result, result_of
from warehouse.validation.scope import Scope


class Suites:
    """The suites of one night; `open_suites` makes one. Nothing is written to disk but the documents."""

    def __init__(self, url: str, run_id: str) -> None:
        context = gx.get_context(
            mode="ephemeral",
            project_config=DataContextConfig(
                analytics_enabled=False,
                progress_bars=ProgressBarsConfig(globally=False),
                store_backend_defaults=InMemoryStoreBackendDefaults(),
            ),
        )
        self._source = context.data_sources.add_sql("warehouse", connection_string=url)
        self._run = RunIdentifier(run_name=run_id, run_time=datetime.now(UTC))
        self._validations: dict[str, Any] = {}

    def check(self, scope: Scope) -> list[Result]:
        """Every rule of the feed. A check that raises is critical whatever its rule says."""
        table = scope.table
        suite = gx.ExpectationSuite(
            name=table.name, expectations=[expectation_for(rule, scope) for rule in table.all_rules]
        )
        asset = self._source.add_table_asset(table.name, table_name=scope.view)
        batch = asset.add_batch_definition_whole_table("new rows").get_batch()
        validation = batch.validate(suite, result_format="BASIC")
        validation.meta["run_id"] = self._run
        self._validations[table.name] = validation
        by_rule = {checked.expectation_config.meta["rule"]: checked for checked in validation.results}
        return [_result(scope, rule, by_rule[rule.name]) for rule in table.all_rules]

    def write_data_docs(self, folder: Path) -> Path:
        """Write Data Docs of every suite that ran, instead of what lies in the folder; returns the first page."""
        return write_data_docs(folder, str(self._run.run_name), self._validations)


@contextmanager
def open_suites(con: duckdb.DuckDBPyConnection, run_id: str) -> Iterator[Suites]:
    """Suites that see what the connection sees, its temporary views and its open transaction too."""
    with connection_string(con) as url:
        yield Suites(url, run_id)


def _result(scope: Scope, rule: Rule, checked: Any) -> Result:
    expectation = checked.expectation_config.type
    error = _raised(checked.exception_info)
    if error is None:
        count = broken_rows(checked.result)
        return result_of(scope.table.name, rule, scope.rows_checked(rule), count, expectation)
    result = result_of(scope.table.name, rule, 0, 0, expectation)
    return replace(result, severity="critical", is_passed=False, detail=f"could not be checked: {error}")


def _raised(info: dict[str, Any]) -> str | None:
    """The message of the first exception; Great Expectations reports one, or one for each metric."""
    for part in [info, *(value for value in info.values() if isinstance(value, dict))]:
        if part.get("raised_exception"):
            return str(part["exception_message"])
    return None
