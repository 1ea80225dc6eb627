"""A SQLAlchemy dialect over a DuckDB connection that is already open.

Great Expectations speaks SQLAlchemy and has no DuckDB source. With this dialect it works on the pipeline's own
connection: it sees temporary views and the rows of an open transaction, and no feed is copied.

Two habits of Great Expectations shape it. It closes a connection before it fetches, and DuckDB drops a pending
result then: so `execute` fetches at once (its queries return counts, not feeds). It chooses SQL by the name of the
dialect: DuckDB reads Postgres' SQL, so that is the name it goes by.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import count, islice
from types import SimpleNamespace
from typing import Any

import duckdb
from sqlalchemy import URL, exc, pool, types
from sqlalchemy import Connection as SqlAlchemyConnection
from sqlalchemy.dialects import registry
from sqlalchemy.dialects.postgresql.base import PGDialect
from sqlalchemy.engine.default import DefaultDialect

_SCHEME = "openduckdb"
_open: dict[str, duckdb.DuckDBPyConnection] = {}
_numbers = count(1)

_COLUMNS = """
    select column_name, data_type, is_nullable, column_default
    from duckdb_columns()
    where table_name = $1
      and schema_name = coalesce($2, current_schema())
      and database_name in (current_database(), 'temp')
    order by database_name = 'temp' desc, column_index
"""


@contextmanager
def connection_string(con: duckdb.DuckDBPyConnection) -> Iterator[str]:
    """A SQLAlchemy URL that leads to this very connection while the block lasts."""
    name = f"connection{next(_numbers)}"
    _open[name] = con
    try:
        yield f"{_SCHEME}://{name}"
    finally:
        del _open[name]


class _Cursor:
    """A DB-API cursor whose rows are fetched on execution."""

    arraysize, rowcount, lastrowid = 1, -1, None

    def __init__(self, con: duckdb.DuckDBPyConnection) -> None:
        self._con = con
        self._rows: Iterator[tuple[Any, ...]] = iter(())
        self.description: list[tuple[Any, ...]] | None = None

    def execute(self, sql: str, parameters: Sequence[Any] = ()) -> None:
        result = self._con.execute(sql, list(parameters) or None)
        self.description = [(name, str(kind), *[None] * 5) for name, kind, *_ in result.description or ()] or None
        self._rows = iter(result.fetchall()) if self.description else iter(())

    def fetchone(self) -> tuple[Any, ...] | None:
        return next(self._rows, None)

    def fetchmany(self, size: int = 1) -> list[tuple[Any, ...]]:
        return list(islice(self._rows, size))

    def fetchall(self) -> list[tuple[Any, ...]]:
        return list(self._rows)

    def close(self) -> None:
        self._rows = iter(())


class _Connection:
    """A DB-API connection that borrows: it neither ends the transaction nor closes what it did not open."""

    def __init__(self, name: str) -> None:
        self._con = _open[name]

    def cursor(self) -> _Cursor:
        return _Cursor(self._con)

    def commit(self) -> None:
        """The pipeline commits."""

    def rollback(self) -> None:
        """The pipeline rolls back."""

    def close(self) -> None:
        """The pipeline closes."""


_ERRORS = (
    "Error",
    "Warning",
    "InterfaceError",
    "DatabaseError",
    "DataError",
    "OperationalError",
    "IntegrityError",
    "InternalError",
    "ProgrammingError",
    "NotSupportedError",
)
_DBAPI = SimpleNamespace(
    paramstyle="numeric_dollar",
    apilevel="2.0",
    threadsafety=1,
    connect=_Connection,
    **{name: getattr(duckdb, name, duckdb.Error) for name in _ERRORS},
)


class _DuckDBType(types.UserDefinedType[Any]):
    """A reflected type, known by DuckDB's own name."""

    cache_ok = True

    def __init__(self, name: str) -> None:
        self.name = name

    def get_col_spec(self, **_: Any) -> str:
        return self.name


class OpenDuckDB(PGDialect):
    """The dialect; `connection_string` gives its URLs."""

    name = "postgresql"
    driver = _SCHEME
    default_paramstyle = "numeric_dollar"
    supports_statement_cache = True
    supports_sane_rowcount = False

    get_multi_columns = DefaultDialect.get_multi_columns  # type: ignore[assignment]
    get_multi_pk_constraint = DefaultDialect.get_multi_pk_constraint  # type: ignore[assignment]

    @classmethod
    def import_dbapi(cls) -> Any:
        """The DB-API module: a namespace over duckdb."""
        return _DBAPI

    @classmethod
    def get_pool_class(cls, url: URL) -> type[pool.Pool]:
        """One connection is all there is."""
        return pool.StaticPool

    def create_connect_args(self, url: URL) -> tuple[list[Any], dict[str, Any]]:
        """The arguments of `_Connection`."""
        return [url.host], {}

    def initialize(self, connection: SqlAlchemyConnection) -> None:
        """What Postgres would be asked for, and DuckDB need not be."""
        self.server_version_info = (16, 0)
        self.default_schema_name = "main"
        self._backslash_escapes = False

    def on_connect(self) -> None:
        """Nothing to set up on a connection that is in use."""

    def get_columns(  # type: ignore[override]
        self, connection: SqlAlchemyConnection, table_name: str, schema: str | None = None, **_: Any
    ) -> list[dict[str, Any]]:
        """Columns of a table or view, temporary ones first; NoSuchTableError when there is none."""
        rows = connection.exec_driver_sql(_COLUMNS, (str(table_name), schema)).fetchall()
        if not rows:
            raise exc.NoSuchTableError(table_name)
        return [
            {"name": name, "type": _DuckDBType(kind), "nullable": is_nullable, "default": default}
            for name, kind, is_nullable, default in rows
        ]

    def has_table(self, connection: SqlAlchemyConnection, table_name: str, schema: str | None = None, **_: Any) -> bool:
        """Whether there is a table or view of that name."""
        return bool(connection.exec_driver_sql(_COLUMNS, (str(table_name), schema)).fetchall())

    def get_pk_constraint(  # type: ignore[override]
        self, connection: SqlAlchemyConnection, table_name: str, schema: str | None = None, **_: Any
    ) -> dict[str, Any]:
        """None: keys are promised by checks."""
        return {"constrained_columns": [], "name": None}

    def get_schema_names(self, connection: SqlAlchemyConnection, **_: Any) -> list[str]:
        """Schemas of every attached database."""
        return [name for (name,) in connection.exec_driver_sql("select distinct schema_name from duckdb_schemas()")]


registry.register(_SCHEME, __name__, "OpenDuckDB")
