"""Each rule of a contract as exactly one expectation."""

from __future__ import annotations

from typing import Any, ClassVar

from great_expectations.execution_engine import SqlAlchemyExecutionEngine
from great_expectations.expectations.core import (
    ExpectColumnValuesToBeBetween,
    ExpectColumnValuesToBeInSet,
    ExpectColumnValuesToNotBeNull,
)
from great_expectations.expectations.expectation import BatchExpectation, Expectation
from great_expectations.expectations.metrics.metric_provider import metric_value
from great_expectations.expectations.metrics.table_metric_provider import TableMetricProvider

from warehouse.contracts.table import Rule, Table
from warehouse.validation.rules_sql import count_broken
from warehouse.validation.scope import Scope


class _CountsOnly:
    """Counts unexpected values and does not list them: a list is one more scan for every rule, and would show
    personal data in the documents."""

    map_metric: ClassVar[str]

    def get_validation_dependencies(self, *args: Any, **kwargs: Any) -> Any:
        dependencies = super().get_validation_dependencies(*args, **kwargs)  # type: ignore[misc]
        dependencies.remove_metric_configuration(f"{self.map_metric}.unexpected_values")
        return dependencies


class ExpectValuesPresent(_CountsOnly, ExpectColumnValuesToNotBeNull):
    """Kind `not_null`."""


class ExpectValuesInRange(_CountsOnly, ExpectColumnValuesToBeBetween):
    """Kind `between`; bounds are inclusive."""


class ExpectValuesKnown(_CountsOnly, ExpectColumnValuesToBeInSet):
    """Kind `one_of`."""


class BrokenRowCount(TableMetricProvider):
    """The number that a query returns, run as it stands."""

    metric_name = "broken_row_count"
    value_keys = ("query",)

    @metric_value(engine=SqlAlchemyExecutionEngine)
    def _count(
        cls,  # noqa: N805 - Great Expectations binds it as a class method
        execution_engine: SqlAlchemyExecutionEngine,
        metric_domain_kwargs: dict[str, Any],
        metric_value_kwargs: dict[str, Any],
        metrics: dict[str, Any],
        runtime_configuration: dict[str, Any],
    ) -> int:
        # The driver's own SQL: sqlalchemy.text() would take `:name` inside a literal for a parameter.
        with execution_engine.get_connection() as connection:
            return int(connection.exec_driver_sql(metric_value_kwargs["query"]).scalar())


class ExpectNoBrokenRows(BatchExpectation):
    """Kinds `references`, `unique` and `sql`: a query that counts the rows that break the rule returns 0."""

    query: str

    metric_dependencies = (BrokenRowCount.metric_name,)
    success_keys = ("query",)

    def _validate(self, metrics: dict[str, Any], *_: Any, **__: Any) -> dict[str, Any]:
        broken = metrics[BrokenRowCount.metric_name]
        return {"success": broken == 0, "result": {"observed_value": broken}}


def expectation_for(rule: Rule, scope: Scope) -> Expectation:
    """The expectation, tagged with the rule's name, severity and meaning."""
    table = scope.table
    common: dict[str, Any] = {
        "severity": rule.severity,
        "description": f"{rule.meaning} ({rule.severity})",
        "meta": {"rule": rule.name},
    }
    if rule.kind in ("not_null", "between", "one_of"):
        return _column_expectation(rule, table, common)
    return ExpectNoBrokenRows(query=count_broken(rule, scope.relation_of(rule), table.qualified_name), **common)


def broken_rows(result: dict[str, Any]) -> int:
    """The count in a result of one of these expectations."""
    return int(result.get("unexpected_count", result.get("observed_value")) or 0)


def _column_expectation(rule: Rule, table: Table, common: dict[str, Any]) -> Expectation:
    (name,) = rule.columns
    if rule.kind == "not_null":
        return ExpectValuesPresent(column=name, **common)
    column = table.column(name)
    if rule.kind == "between":
        return ExpectValuesInRange(column=name, min_value=column.low, max_value=column.high, **common)
    return ExpectValuesKnown(column=name, value_set=list(column.one_of), **common)
