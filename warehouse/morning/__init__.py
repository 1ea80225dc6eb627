"""What the diary says in the morning: nights, heads, gates, freshness. Reads only `ops` of any of the databases."""

from __future__ import annotations

from typing import Any

import duckdb

from warehouse.connect import read_sql

Row = dict[str, Any]


def last_nights(con: duckdb.DuckDBPyConnection, count: int = 7) -> list[Row]:
    """The latest nights, newest start first: run_id, as_of_date, status, stopped_by, started_at, seconds."""
    return _rows(con, "morning/last_nights.sql", [count])


def steps(con: duckdb.DuckDBPyConnection, run_id: str) -> list[Row]:
    """The night's steps in order: step, status, seconds, detail."""
    return _rows(con, "morning/steps.sql", [run_id])


def first_night(con: duckdb.DuckDBPyConnection) -> list[Row]:
    """The steps of the home's first released night, each with the size of the shop then: run_id, as_of_date, users,
    products, events, order_lines, days, sites, step, seconds; none before there is one. Of the warehouse only."""
    return _rows(con, "morning/first_night.sql", [])


def heads(con: duckdb.DuckDBPyConnection, run_id: str) -> list[Row]:
    """Each head of the night with its gate metrics: head, status, reason, task, metric, value, baseline_value, ..."""
    return _rows(con, "morning/heads.sql", [run_id])


def checks(con: duckdb.DuckDBPyConnection, run_id: str) -> list[Row]:
    """Broken rules of feeds and promises between heads, worst first: verdict, subject, rule, rows_broken, detail."""
    return _rows(con, "morning/checks.sql", [run_id])


def queue(con: duckdb.DuckDBPyConnection, run_id: str, count: int = 10) -> list[Row]:
    """The most valuable actions: rank, head, action, do_by_date, value_at_stake, value_basis, primary_reason."""
    return _rows(con, "morning/queue.sql", [run_id, count])


def attention(con: duckdb.DuckDBPyConnection, run_id: str) -> list[Row]:
    """What a person should look at after a released night, gravest first: subject, finding, remedy."""
    return _rows(con, "morning/attention.sql", [run_id])


def alerts(con: duckdb.DuckDBPyConnection, run_id: str) -> list[Row]:
    """What came of earlier nights or drifted, gravest first: kind, subject, message, remedy, is_new. None in a database
    of a version that raised no alerts."""
    known = con.execute("from duckdb_tables() where schema_name = 'ops' and table_name = 'alerts'").fetchall()
    return _rows(con, "morning/alerts.sql", [run_id]) if known else []


def check_counts(con: duckdb.DuckDBPyConnection, run_id: str) -> Row:
    """How many rules were checked and how many held: checked, passed, quarantined_rows."""
    return _rows(con, "morning/check_counts.sql", [run_id])[0]


def freshness(con: duckdb.DuckDBPyConnection) -> list[Row]:
    """Each loaded feed: feed, inputs, rows, last_loaded_at."""
    return _rows(con, "morning/freshness.sql", [])


def current_release(con: duckdb.DuckDBPyConnection) -> Row | None:
    """What readers see: release_number, run_id, as_of_date, kind, released_at, file_name; None before the first."""
    rows = _rows(con, "morning/current_release.sql", [])
    return rows[0] if rows else None


def _rows(con: duckdb.DuckDBPyConnection, file: str, values: list[Any]) -> list[Row]:
    cursor = con.execute(read_sql(file), values)
    names = [column[0] for column in cursor.description]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
