"""Contracts as DDL: schemas, tables and their comments."""

from __future__ import annotations

from collections.abc import Iterable

import duckdb

from warehouse.contracts.table import Table, literal, quote


def create_table(table: Table, extra_columns: str = "") -> str:
    """The CREATE TABLE IF NOT EXISTS statement. Keys are promised by checks, not by an index: replacing a
    partition is thirty times cheaper than an upsert through a DuckDB primary key."""
    columns = ", ".join(f"{quote(column.name)} {column.type}" for column in table.columns)
    return f"create table if not exists {table.qualified_name} ({columns}{extra_columns})"


def comment_statements(table: Table) -> list[str]:
    """COMMENT ON statements for the table and each column."""
    statements = [f"comment on table {table.qualified_name} is {literal(table.comment)}"]
    statements += [
        f"comment on column {table.qualified_name}.{quote(column.name)} is {literal(column.meaning)}"
        for column in table.columns
    ]
    return statements


def comment_all(con: duckdb.DuckDBPyConnection, tables: Iterable[Table]) -> None:
    """Say in the database what every table and column means."""
    for table in tables:
        for statement in comment_statements(table):
            con.execute(statement)


def create_all(con: duckdb.DuckDBPyConnection, tables: Iterable[Table]) -> None:
    """Create the schemas and tables that are missing; raw tables also know the load of each row."""
    for table in tables:
        con.execute(f"create schema if not exists {quote(table.schema)}")
        con.execute(create_table(table, ", _load_id BIGINT" if table.schema == "raw" else ""))
