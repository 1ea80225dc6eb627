"""The published tables as PostgreSQL has them: a table with a partition per run, a view of the current one, comments.

Partitions lie in a schema of their own, where readers have no business: they read through the tables and views.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace

from warehouse.connect import read_sql
from warehouse.contracts import PUBLISHED_TABLES, Column, Table
from warehouse.contracts.ddl import comment_statements
from warehouse.contracts.table import day, flag, literal, moment, quote, text
from warehouse.postgres.session import Session, qualified

_TYPES = {
    "VARCHAR": "text",
    "DOUBLE": "double precision",
    "BIGINT": "bigint",
    "BOOLEAN": "boolean",
    "DATE": "date",
    "TIMESTAMP": "timestamp with time zone",
    "DECIMAL(18,4)": "numeric",
}
_NESTED = "json"

POINTER = Table(
    schema="predictions",
    name="releases",
    grain="One row per run that is here; readers of the views see the one that is current.",
    key=("run_id",),
    columns=(
        text("run_id", "Night", required=True),
        day("as_of_date", "The night knows what happened before this day", required=True),
        moment("released_at", "When readers of the published file saw it first", required=True),
        text("file_stamp", "Size and time of the published file that the rows are from", required=True),
        flag("is_current", "Whether readers of the views see it", required=True),
    ),
)


@dataclass(frozen=True)
class Schema:
    """Where the tables lie: `name` is theirs, `partitions` that of the runs. `readers` may read, if any."""

    name: str
    readers: str = ""

    @property
    def partitions(self) -> str:
        """The schema of the partitions."""
        return f"{self.name}_partitions"

    @property
    def fingerprint(self) -> str:
        """A short hash of everything that `prepare` makes; nothing need be made anew while it is the same."""
        return hashlib.sha256(repr((PUBLISHED_TABLES, POINTER, _TYPES, self)).encode()).hexdigest()[:16]

    def partition(self, table: Table, run_id: str) -> str:
        """The name of the table's partition of the run."""
        return f"{table.name}_{run_id}"

    def partition_of(self, table: Table, run_id: str) -> str:
        """The same with its schema, quoted."""
        return qualified(self.partitions, self.partition(table, run_id))


def postgres_type(column: Column) -> str:
    """The column's type there; lists and structs are JSON."""
    return _TYPES.get(column.type, _NESTED)


def exported(column: Column) -> str:
    """The column of the published file as an expression of DuckDB that arrives as that type."""
    name = quote(column.name)
    if column.type == "TIMESTAMP":
        return f"timezone('UTC', {name}) as {name}"
    return f"cast(to_json({name}) as varchar) as {name}" if postgres_type(column) == _NESTED else name


def prepare(session: Session, schema: Schema) -> None:
    """Bring the schemas, tables, views, comments and grants to today's contracts, within a transaction of the caller.

    Columns that a contract no longer names stay.
    """
    mark = f"Runs of schema {schema.name}, as of contracts {schema.fingerprint}."
    if session.run(read_sql("postgres/schema_comment.sql"), [schema.partitions]) == [(mark,)]:
        return
    for name in (schema.name, schema.partitions):
        session.run(f"create schema if not exists {quote(name)}")
    _create_pointer(session, schema)
    for table in PUBLISHED_TABLES:
        _create_table(session, schema, table)
    if schema.readers:
        _grant(session, schema)
    session.run(f"comment on schema {quote(schema.partitions)} is {literal(mark)}")


def _create_pointer(session: Session, schema: Schema) -> None:
    table = replace(POINTER, schema=schema.name)
    columns = ", ".join(f"{quote(column.name)} {postgres_type(column)} not null" for column in table.columns)
    session.run(f"create table if not exists {table.qualified_name} ({columns}, primary key (run_id))")
    # The database itself keeps the promise that there is one.
    session.run(
        f"create unique index if not exists one_is_current on {table.qualified_name} (is_current) where is_current"
    )
    _comment(session, table)


def _create_table(session: Session, schema: Schema, published: Table) -> None:
    table = replace(published, schema=schema.name)
    key = ", ".join(map(quote, _key(table)))
    columns = ", ".join(f"{quote(column.name)} {postgres_type(column)}" for column in table.columns)
    session.run(
        f"create table if not exists {table.qualified_name} ({columns}, primary key ({key})) partition by list (run_id)"
    )
    known = [name for name, _ in session.run(read_sql("postgres/columns.sql"), [schema.name, table.name])]
    for column in table.columns:
        if column.name not in known:
            session.run(f"alter table {table.qualified_name} add column {quote(column.name)} {postgres_type(column)}")
            known.append(column.name)
    _comment(session, table)
    latest = replace(table, name=f"{table.name}_latest", note=f"{table.note} Of the current release.".strip())
    # In the order that the table has got over time: a view may grow at its end only.
    session.run(
        f"create or replace view {latest.qualified_name} as select {', '.join(map(quote, known))} "
        f"from {table.qualified_name} "
        f"where run_id = (select run_id from {qualified(schema.name, POINTER.name)} where is_current)"
    )
    _comment(session, latest, kind="view")


def _key(table: Table) -> tuple[str, ...]:
    """The key within all runs; the run last, for it is one in a partition and tells no rows apart."""
    return (*(name for name in table.key if name != "run_id"), "run_id")


def _comment(session: Session, table: Table, kind: str = "table") -> None:
    for statement in comment_statements(table):
        session.run(statement.replace("comment on table", f"comment on {kind}", 1))


def _grant(session: Session, schema: Schema) -> None:
    role = quote(schema.readers)
    names = [POINTER.name, *(name for table in PUBLISHED_TABLES for name in (table.name, f"{table.name}_latest"))]
    session.run(f"grant usage on schema {quote(schema.name)} to {role}")
    session.run(f"grant select on {', '.join(qualified(schema.name, name) for name in names)} to {role}")
