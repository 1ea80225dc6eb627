"""What is kept of each night (schema `kept`) until it can be held against the truth."""

from __future__ import annotations

from datetime import timedelta

import duckdb

from tasks.night import Night
from tasks.outcomes.topics import days_needed
from warehouse.connect import read_sql, transaction
from warehouse.contracts.kept import KEPT_TABLES
from warehouse.contracts.table import quote


def keep_night(con: duckdb.DuckDBPyConnection, night: Night) -> int:
    """Keep tonight's predictions, and forget nights that are scored for good; rows kept. Only a night that is released
    is ever scored."""
    rows = 0
    with transaction(con):
        for table in KEPT_TABLES:
            days = days_needed(table.name, night.features.horizon_days) + night.monitoring.late_days
            columns = ", ".join(quote(name) for name in table.column_names)
            con.execute(
                f"delete from {table.qualified_name} where run_id = $1 or as_of_date < $2",
                [night.run_id, night.as_of_date - timedelta(days=days)],
            )
            tonight = read_sql(f"outcomes/keep/{table.name}.sql")
            kept = con.execute(
                f"insert into {table.qualified_name} by name select {columns} from ({tonight})"
            ).fetchall()
            rows += int(kept[0][0])
    return rows
