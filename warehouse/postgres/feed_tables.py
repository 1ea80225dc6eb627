"""A feed as a table of the shop's database: found, compared with its contract, and read by a SELECT."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches

from warehouse.connect import read_sql
from warehouse.contracts import Column, Table
from warehouse.contracts.table import literal, quote
from warehouse.postgres.session import Session, qualified
from warehouse.postgres.types import MOMENTS, TOMBSTONES, accepted, read_as
from warehouse.sources.base import FeedError, SourceOptions


@dataclass(frozen=True, kw_only=True)
class FeedTable:
    """`columns` are the contract's, each as the expression that reads it; `updated` says when a row changed and
    `deleted` that it is gone, both None where the table does not tell. `other_columns` are not read."""

    contract: Table
    schema: str
    name: str
    columns: Mapping[str, str]
    updated: str | None
    deleted: str | None
    other_columns: frozenset[str]

    @property
    def place(self) -> str:
        """Schema and table, as people write them."""
        return f"{self.schema}.{self.name}"

    @property
    def mapping(self) -> str:
        """A short hash of how it is read; rows that were read in another way are read again."""
        told = repr((sorted(self.columns.items()), self.updated, self.deleted))
        return hashlib.sha256(told.encode()).hexdigest()[:8]

    def window(self, since: str | None, overlap_minutes: float) -> str:
        """A condition: rows that changed since that moment less the overlap, or at a moment that nobody noted."""
        if self.updated is None or since is None:
            return "true"
        overlap = f"interval '{overlap_minutes:f} minutes'"
        return f"({self.updated} >= {literal(since)}::timestamptz - {overlap} or {self.updated} is null)"

    def rows(self, window: str) -> str:
        """A SELECT of the rows in the window that are not deleted."""
        columns = ", ".join(f"{expression} as {quote(name)}" for name, expression in self.columns.items())
        return f"select {columns} from {self._from(window)} and not coalesce({self.deleted or 'false'}, false)"

    def deleted_keys(self, window: str) -> str | None:
        """A SELECT of the keys of the rows in the window that are deleted; None where the table does not tell."""
        if self.deleted is None:
            return None
        key = ", ".join(f"{self.columns[name]} as {quote(name)}" for name in self.contract.key)
        return f"select {key} from {self._from(window)} and {self.deleted}"

    def state(self, window: str) -> str:
        """A SELECT of one text that says the same as long as no row in the window does anything else."""
        told = ", ".join([*self.columns.values(), *([self.deleted] if self.deleted else [])])
        row_hash = f"hashtextextended(row({told})::text, 0)"
        return f"select count(*) || ' ' || coalesce(sum({row_hash}), 0) from {self._from(window)}"

    def newest_change(self, no_later_than: str) -> str:
        """A SELECT of the newest change as text, but none later than the moment given."""
        newest = f"coalesce(max({self.updated})::timestamptz, '-infinity')"
        return f"select least({newest}, {literal(no_later_than)}::timestamptz)::text from {self._from('true')}"

    def _from(self, window: str) -> str:
        return f"{qualified(self.schema, self.name)} where {window}"


def find_table(session: Session, contract: Table, options: SourceOptions) -> FeedTable | None:
    """The table behind the feed; None where the database has none. FeedError where it breaks the contract."""
    mapped = options.tables.get(contract.name)
    schema, _, name = (mapped or contract.name).rpartition(".")
    schema = schema or options.schema
    types: dict[str, str] = dict(session.run(read_sql("postgres/columns.sql"), [schema, name]))
    if not types:
        if mapped:
            raise FeedError(
                f"There is no table or view {schema}.{name} in {session.database} on {session.server}.",
                feed=contract.name,
                remedy=f"correct {contract.name} in postgres.tables, or create it.",
            )
        return None
    return _Comparison(contract, f"{schema}.{name}", types).table(schema, name, options)


@dataclass(frozen=True)
class _Comparison:
    """What a contract asks for beside what a table has: `types` by column name."""

    contract: Table
    place: str
    types: Mapping[str, str]

    def table(self, schema: str, name: str, options: SourceOptions) -> FeedTable:
        own = {known.lower(): known for known in self.types}
        columns = {
            column.name: self._expression(column, own[column.name])
            for column in self.contract.columns
            if self._is_present(column, own)
        }
        marks = {"updated_column": options.updated_column, "deleted_column": options.deleted_column}
        return FeedTable(
            contract=self.contract,
            schema=schema,
            name=name,
            columns=columns,
            updated=self._mark("updated_column", options.updated_column, dict.fromkeys(MOMENTS, "{0}")),
            deleted=self._mark("deleted_column", options.deleted_column, TOMBSTONES),
            other_columns=frozenset(known for key, known in own.items() if key not in columns)
            - frozenset(marks.values()),
        )

    def _is_present(self, column: Column, own: Mapping[str, str]) -> bool:
        if column.name in own:
            return True
        if column.required:
            near = get_close_matches(column.name, own, n=1)
            hint = f"rename {own[near[0]]!r} in a view if that is meant" if near else "add it, in a view if need be"
            raise self._error(
                f"Table {self.place} lacks the required column {column.name!r} ({column.meaning}); it has "
                f"{', '.join(self.types)}.",
                f"{hint}; `fivefold feeds describe {self.contract.name}` lists all columns.",
            )
        return False

    def _expression(self, column: Column, own_name: str) -> str:
        found = self.types[own_name]
        expression = read_as(column.type, found)
        if expression is None:
            wanted = ", ".join(accepted(column.type))
            raise self._error(
                f"Column {own_name!r} of table {self.place} is {found}; the contract's {column.type} may come from "
                f"{wanted}.",
                f"cast it in a view that postgres.tables names for {self.contract.name}, or change the column's type.",
            )
        return expression.format(quote(own_name))

    def _mark(self, setting: str, name: str, readings: Mapping[str, str]) -> str | None:
        """What the column that marks a row says; None where the table does not have it."""
        if name not in self.types:
            return None
        if self.types[name] not in readings:
            raise self._error(
                f"Column {name!r} of table {self.place} is {self.types[name]}, not {' or '.join(sorted(readings))}.",
                f"cast it in a view, or name another column in postgres.{setting} (empty for none).",
            )
        return readings[self.types[name]].format(quote(name))

    def _error(self, problem: str, remedy: str) -> FeedError:
        return FeedError(problem, feed=self.contract.name, remedy=remedy)
