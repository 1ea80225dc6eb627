"""The one module that opens PostgreSQL: a session that speaks Arrow, and errors in words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Self

from warehouse.contracts.table import literal, quote
from warehouse.postgres.address import Address

if TYPE_CHECKING:
    import pyarrow as pa

# What makes the text of a value the same everywhere, and names resolve to the database's own functions alone. A policy
# that hides rows is an error: half a table is no feed.
_MANNERS = {
    "TimeZone": "UTC",
    "DateStyle": "ISO",
    "IntervalStyle": "postgres",
    "extra_float_digits": "1",
    "bytea_output": "hex",
    "search_path": "pg_catalog",
    "row_security": "off",
    "idle_in_transaction_session_timeout": "0",
}
# Classes of SQLSTATE that say nothing about what was asked: connection, resources, operator intervention.
_OUTAGES = ("08", "53", "57P", "58")


class ServerLost(ConnectionError):  # noqa: N818 - named after what is the case
    """The server is not reached, refuses, or went away; trying again may help."""


class Refused(RuntimeError):  # noqa: N818 - named after what the server did
    """The server understood and said no. `sqlstate` is its code, the message its first line, which quotes no row."""

    def __init__(self, words: str, sqlstate: str) -> None:
        self.sqlstate = sqlstate
        super().__init__(words)


class ExtraMissing(RuntimeError):  # noqa: N818 - named after what is the case
    """The driver is not installed."""


# Whatever a session may raise.
FAILURES = (ServerLost, Refused, ExtraMissing)


class Session:
    """A connection without a transaction until `transaction` begins one; use it as a context manager, or close it.

    ServerLost when the server is not reached, ExtraMissing where the extra `postgres` is not installed.
    """

    def __init__(self, address: Address, password: str | None) -> None:
        self.server = address.server
        driver = _driver()
        with _in_words(self.server):
            self._connection = driver.connect(address.connection_string(password), autocommit=True)
        for name, value in _MANNERS.items():
            self.run(f"set {name} = {literal(value)}")
        self.database = str(self.run("select current_database()")[0][0])

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the session; what a transaction left open is undone."""
        self._connection.close()

    def run(self, statement: str, values: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """The rows of one statement, with `values` for $1, $2, ...; empty where it gives none."""
        with _in_words(self.server), self._connection.cursor() as cursor:
            cursor.execute(statement, list(values) or None)
            return list(cursor.fetchall()) if cursor.description else []

    @contextmanager
    def stream(self, query: str) -> Iterator[pa.RecordBatchReader]:
        """Within the block the rows of the query, some megabytes at a time."""
        with _in_words(self.server), self._connection.cursor() as cursor:
            cursor.execute(query)
            yield cursor.fetch_record_batch()

    def load(self, schema: str, table: str, rows: pa.RecordBatchReader) -> int:
        """Copy the rows into an existing table, columns by name; their number."""
        with _in_words(self.server), self._connection.cursor() as cursor:
            return int(cursor.adbc_ingest(table, rows, mode="append", db_schema_name=schema))

    @contextmanager
    def transaction(self, kind: str = "") -> Iterator[None]:
        """All of the block or, when it raises, nothing of it; `kind` such as "isolation level serializable"."""
        self.run(f"begin {kind}")
        try:
            yield
        except BaseException:
            if self.is_alive():
                self.run("rollback")
            raise
        self.run("commit")

    def is_alive(self) -> bool:
        """Whether the server still answers, if only that the transaction has failed."""
        try:
            self.run("select 1")
        except ServerLost:
            return False
        except Refused:
            return True
        return True


def qualified(schema: str, table: str) -> str:
    """Schema and table, quoted."""
    return f"{quote(schema)}.{quote(table)}"


def _driver() -> Any:
    try:
        from adbc_driver_postgresql import dbapi
    except ImportError:
        raise ExtraMissing(
            "PostgreSQL needs the extra 'postgres', which is not installed. Remedy: pip install 'fivefold[postgres]', "
            "in a checkout .venv/bin/pip install -e '.[postgres]' -c constraints.txt."
        ) from None
    return dbapi


@contextmanager
def _in_words(server: str) -> Iterator[None]:
    """The driver's errors as ours."""
    from adbc_driver_manager import Error

    try:
        yield
    except Error as error:
        sqlstate, words = error.sqlstate or "", _first_line(str(error))
        if not sqlstate or sqlstate.startswith(_OUTAGES):
            raise ServerLost(
                f"PostgreSQL on {server}: {words}. "
                "Remedy: see that the server runs, is reached from here, and lets this user in with this password."
            ) from None
        raise Refused(words, sqlstate) from None


def _first_line(text: str) -> str:
    """What the server said, without the driver's frame, the query and the details, which may quote a row."""
    for mark in ("FATAL:", "ERROR:", "[libpq] Failed to connect:", "[libpq]"):
        if mark in text:
            text = text.partition(mark)[2]
            break
    return text.strip().partition("\n")[0].rstrip(". ")
