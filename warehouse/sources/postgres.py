"""The shop's own database: `postgres:ADDRESS`, such as `postgres:postgresql://reader@db.example/shop`.

Each feed is a table or view of its name in one schema, or the one that `postgres.tables` names. All of a night's feeds
are read in one read-only snapshot. A table that says when a row changed (`postgres.updated_column`) is read from the
newest change of the night before, less an overlap, and rows replace those of the same key; one that does not is read
whole, if anything in it has changed. Rows that `postgres.deleted_column` marks are taken out.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb

from warehouse.casting import INPUT_COLUMN
from warehouse.connect import read_sql
from warehouse.contracts import feed as feed_named
from warehouse.contracts.table import literal, quote
from warehouse.postgres.address import Address, BadAddress, parse_address
from warehouse.postgres.feed_tables import FeedTable, find_table
from warehouse.postgres.session import Refused, ServerLost, Session
from warehouse.sources.base import FeedError, Input, Progress, Relation, Source, SourceOptions

if TYPE_CHECKING:
    import pyarrow as pa

# A role that may not read, or only some rows.
_NOT_ALLOWED = "42501"
_SNAPSHOT = "isolation level repeatable read, read only"


@dataclass(frozen=True)
class _Reading:
    """What tonight reads of a table: the rows in `window`, as `item`."""

    table: FeedTable
    window: str
    item: Input


class Postgres(Source):
    """One database; moments without a time zone are UTC."""

    def __init__(self, location: str | None, as_of_date: date | None, home: Path | None = None) -> None:
        super().__init__(location, as_of_date, home)
        self.options = SourceOptions()
        self._address = _address(location or "")
        self._session: Session | None = None
        self._readings: dict[str, _Reading] = {}
        self._latest_sure_change = ""

    def configure(self, options: SourceOptions) -> None:
        """Which tables, which columns mark a row, and the password."""
        self.options = options

    def latest_as_of(self, time_zone: str | None = None) -> date:
        """The day after the last order."""
        with _in_words("orders"), Session(self._address, self.options.password) as session:
            table = find_table(session, feed_named("orders"), self.options)
            found = session.run(_last_day(table), [time_zone or self.time_zone])[0][0] if table else None
        if found is None:
            raise FeedError(
                f"No order with a moment in {session.database} on {session.server}.",
                feed="orders",
                remedy="see postgres.default_schema and postgres.tables, or name the night with --as-of.",
            )
        return date.fromisoformat(found)

    def prepare(self, progress: Progress) -> None:
        """Take the snapshot that all feeds are read in."""
        self._snapshot()

    def inputs(self, con: duckdb.DuckDBPyConnection, feed: str) -> list[Input]:
        """What the feed's table has to say beyond the night before, or all of it; empty when there is no such table."""
        with _in_words(feed):
            table = find_table(self._snapshot(), feed_named(feed), self.options)
            if table is None:
                return []
            self._readings[feed] = self._next_part(con, table) if table.updated else self._whole(table)
        return [self._readings[feed].item]

    def relations(self, con: duckdb.DuckDBPyConnection, feed: str, inputs: Sequence[Input]) -> Iterator[Relation]:
        """One relation: the rows, streamed into a temporary table that spills to disk."""
        reading = self._readings[feed]
        with _in_words(feed), self._snapshot().stream(reading.table.rows(reading.window)) as rows:
            try:
                _keep(con, "postgres_rows", rows)
            except duckdb.Error as error:
                raise self.unreadable(feed, reading.table.place, error) from error
        yield Relation(
            sql=f"select *, {literal(reading.item.name)} as {quote(INPUT_COLUMN)} from postgres_rows",
            label=reading.table.place,
            input_names=(reading.item.name,),
            unread_columns=reading.table.other_columns,
            is_columnar=True,
        )
        con.execute("drop table postgres_rows")

    def deleted_keys(self, con: duckdb.DuckDBPyConnection, feed: str) -> str | None:
        """A temporary table with the keys of rows that are marked as deleted."""
        reading = self._readings[feed]
        query = reading.table.deleted_keys(reading.window)
        if query is None:
            return None
        with _in_words(feed), self._snapshot().stream(query) as keys:
            _keep(con, "deleted_keys", keys)
        return "deleted_keys"

    def unreadable(self, feed: str, place: str, error: duckdb.Error) -> Exception:
        """A server that went away, which a retry may mend; else what the database made of the rows."""
        if self._session is None or not self._session.is_alive():
            return ServerLost(
                f"PostgreSQL on {self._address.server} went away while {place} was read; nothing of it was loaded. "
                "Remedy: see that the server runs and is reached from here, then run again."
            )
        words = str(error).partition("\n")[0]
        return FeedError(
            f"Table {place} cannot be read: {words}.",
            feed=feed,
            remedy="correct the rows, or read them through a view.",
        )

    def close(self) -> None:
        """End the snapshot."""
        if self._session is not None:
            self._session.close()
            self._session = None

    def _snapshot(self) -> Session:
        """The session in which the night's one snapshot is open."""
        if self._session is None:
            session = Session(self._address, self.options.password)
            # Asked for before the snapshot is taken: whoever is at work then has not begun to note changes before it.
            self._latest_sure_change = session.run(read_sql("postgres/latest_sure_change.sql"))[0][0]
            session.run(f"begin {_SNAPSHOT}")
            # It is taken by the first question, not by `begin`.
            session.run("select 1")
            self._session = session
        return self._session

    def _whole(self, table: FeedTable) -> _Reading:
        """All of the table; changed is what has another state."""
        name = f"{self._prefix(table)}/whole"
        return _Reading(table, "true", Input(name, self._ask(table.state("true"))))

    def _next_part(self, con: duckdb.DuckDBPyConnection, table: FeedTable) -> _Reading:
        """What has changed since the last part that was loaded; that part again when nothing has."""
        prefix = f"{self._prefix(table)}/part="
        known = con.execute(read_sql("sources/postgres_last_part.sql"), [table.contract.name, prefix]).fetchall()
        part, since, overlap = 1, None, self.options.overlap_minutes
        window = table.window(None, overlap)
        if known:
            name, state = known[0]
            number, _, since = name.removeprefix(prefix).partition("/until=")
            window = table.window(since, overlap)
            if self._ask(table.state(window)) == state:
                return _Reading(table, window, Input(name, state))
            part = int(number) + 1
        until = self._ask(table.newest_change(self._latest_sure_change))
        state = self._ask(table.state(table.window(until, overlap)))
        return _Reading(table, window, Input(f"{prefix}{part}/until={until}", state))

    def _prefix(self, table: FeedTable) -> str:
        """What the names of a table's inputs begin with: another database, or another way to read, starts afresh."""
        session = self._snapshot()
        return f"{session.server}/{session.database}/{table.place}/{table.mapping}"

    def _ask(self, query: str) -> str:
        return str(self._snapshot().run(query)[0][0])


def _keep(con: duckdb.DuckDBPyConnection, name: str, rows: pa.RecordBatchReader) -> None:
    """The rows as a temporary table."""
    con.register("postgres_stream", rows)
    try:
        con.execute(f"create or replace temp table {quote(name)} as from postgres_stream")
    finally:
        con.unregister("postgres_stream")


def _address(location: str) -> Address:
    """Of `postgres:ADDRESS`; `postgres://...` may be written at once."""
    try:
        return parse_address(f"postgres:{location}" if location.startswith("//") else location)
    except BadAddress as error:
        problem, _, remedy = str(error).partition(" Remedy: ")
        raise FeedError(problem[0].upper() + problem[1:], remedy=remedy) from None


def _last_day(table: FeedTable) -> str:
    return (
        "select ((max(ordered_at) at time zone 'UTC' at time zone $1::text)::date + 1)::text "
        f"from ({table.rows('true')}) as orders"
    )


@contextmanager
def _in_words(feed: str) -> Iterator[None]:
    """What the server refused, as an error of the feed."""
    try:
        yield
    except Refused as error:
        raise FeedError(
            f"PostgreSQL says: {error}.",
            feed=feed,
            remedy="grant select on the table, and usage on its schema, to the role; where row-level security hides "
            "rows, grant it bypassrls or read a view."
            if error.sqlstate == _NOT_ALLOWED
            else "correct the table or view that postgres.tables names.",
        ) from None
