"""Bring a warehouse to today's contracts: tables, new columns, comments. Done once a night."""

from __future__ import annotations

import hashlib

import duckdb

from warehouse.connect import transaction
from warehouse.contracts import ALL_TABLES, Table
from warehouse.contracts.ddl import comment_all, create_all
from warehouse.contracts.table import quote

_VERSION_TABLE = "create table if not exists ops.contract_version (fingerprint VARCHAR)"


def fingerprint() -> str:
    """A hash of every contract; equal hashes mean that there is nothing to migrate."""
    return hashlib.sha256(repr(ALL_TABLES).encode()).hexdigest()


def migrate(con: duckdb.DuckDBPyConnection) -> bool:
    """Create what is missing and add new columns; True when something changed.

    Columns that a contract no longer names stay, with their data. A column whose type changed is an error:
    such a change needs a decision by a person.
    """
    wanted = fingerprint()
    con.execute("create schema if not exists ops")
    con.execute(_VERSION_TABLE)
    if con.execute("select fingerprint from ops.contract_version").fetchall() == [(wanted,)]:
        return False
    with transaction(con):
        create_all(con, ALL_TABLES)
        for table in ALL_TABLES:
            _add_columns(con, table)
        comment_all(con, ALL_TABLES)
        con.execute("delete from ops.contract_version")
        con.execute("insert into ops.contract_version values ($1)", [wanted])
    return True


def _add_columns(con: duckdb.DuckDBPyConnection, table: Table) -> None:
    existing = dict(
        con.execute(
            "select column_name, data_type from duckdb_columns() where schema_name = $1 and table_name = $2",
            [table.schema, table.name],
        ).fetchall()
    )
    for column in table.columns:
        if column.name not in existing:
            con.execute(f"alter table {table.qualified_name} add column {quote(column.name)} {column.type}")
        elif _normal(existing[column.name]) != _normal(column.type):
            raise TypeError(
                f"{table.schema}.{table.name}.{column.name} is {existing[column.name]} in the warehouse but "
                f"{column.type} in the contract: export the table, drop it and load it again"
            )


def _normal(type_name: str) -> str:
    return type_name.replace(" ", "").replace('"', "").upper()
