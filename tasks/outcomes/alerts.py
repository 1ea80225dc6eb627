"""What a person should look at: measures that broke their promise, and what has drifted."""

from __future__ import annotations

import duckdb

from tasks.night import Night
from warehouse import build
from warehouse.connect import read_sql, transaction


def raise_alerts(con: duckdb.DuckDBPyConnection, night: Night) -> list[str]:
    """Mark the rows of ops.outcomes that cross a threshold, and fill ops.alerts for tonight; the messages."""
    terms = night.monitoring
    names = ("lost_lead_ratio", "total_tolerance_ratio", "coverage_tolerance", "minimum_rows")
    thresholds = {name: getattr(terms, name) for name in names}
    build.set_variables(con, {"run_id": night.run_id, "as_of_date": night.as_of_date, **thresholds})
    with transaction(con):
        con.execute(read_sql("outcomes/judge_outcomes.sql"))
        con.execute("delete from ops.alerts where run_id = $1", [night.run_id])
        con.execute(read_sql("outcomes/alerts.sql"))
    rows = con.execute("select message from ops.alerts where run_id = $1 order by alert_number", [night.run_id])
    return [message for (message,) in rows.fetchall()]
