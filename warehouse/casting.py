"""Typing rows strictly by a contract: what a relation offers, how each column is parsed, what did not parse."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches

from warehouse.contracts import Table
from warehouse.contracts.table import Column, literal, quote
from warehouse.sources.base import FeedError, Relation

INPUT_COLUMN = "_input_name"

_WHOLE_NUMBERS = frozenset(
    {"TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT", "HUGEINT"}
)
# Types whose every value has a counterpart in the contract's type, so that no row needs to be looked at.
_ALWAYS_PARSES: Mapping[str, frozenset[str]] = {
    "DOUBLE": _WHOLE_NUMBERS,
    "BIGINT": _WHOLE_NUMBERS - {"UBIGINT", "HUGEINT"},
    "TIMESTAMP": frozenset({"DATE", "TIMESTAMP_S", "TIMESTAMP_MS", "TIMESTAMP_NS", "TIMESTAMP WITH TIME ZONE"}),
}


@dataclass(frozen=True)
class Offer:
    """What one relation offers to a contract: `types` of the contract's columns that it has, and the others."""

    table: Table
    types: Mapping[str, str]
    unknown_columns: tuple[str, ...]

    @property
    def is_certain(self) -> bool:
        """Whether every value parses by its type alone."""
        return not self.doubtful_columns

    @property
    def doubtful_columns(self) -> list[Column]:
        """The columns of which a value may not parse."""
        return [
            column
            for column in self.table.columns
            if column.name in self.types and not _always_parses(self.types[column.name], column.type)
        ]

    @property
    def column_list(self) -> str:
        """The contract's columns on offer, quoted, for an INSERT."""
        return ", ".join(quote(name) for name in self.types)

    @property
    def parsed_list(self) -> str:
        """The same columns as expressions of the contract's types."""
        return ", ".join(parsed(self.table.column(name), source_type) for name, source_type in self.types.items())

    @property
    def broken_rules(self) -> str:
        """An expression: the rules `<column>_parses` that a row breaks, comma separated, '' when it breaks none."""
        cases = ", ".join(
            f"case when {quote(column.name)} is not null and {parsed(column, self.types[column.name])} is null "
            f"then {literal(column.name + '_parses')} end"
            for column in self.doubtful_columns
        )
        return f"concat_ws(',', {cases})"


def offer(table: Table, relation: Relation, columns: Mapping[str, str]) -> Offer:
    """Compare the relation's columns (name -> DuckDB type) with the contract.

    FeedError names the file, the required column that it lacks and the present column most like it.
    """
    present = {name.lower(): name for name in columns if name != INPUT_COLUMN}
    for column in table.columns:
        if column.required and column.name not in present:
            near = get_close_matches(column.name, present, n=1)
            hint = f"rename {present[near[0]]!r} if that is meant" if near else "add it"
            raise FeedError(
                f"The required column {column.name!r} is missing; the file has {', '.join(present.values())}.",
                feed=table.name,
                file=relation.label,
                remedy=f"{hint}: {column.meaning} ({column.type}). "
                f"`fivefold feeds describe {table.name}` lists all columns.",
            )
    known = {name: columns[present[name]] for name in table.column_names if name in present}
    unknown = [
        original for name, original in present.items() if name not in known and original not in relation.ignored_columns
    ]
    return Offer(table=table, types=known, unknown_columns=tuple(sorted({*unknown, *relation.unread_columns})))


def parsed(column: Column, source_type: str) -> str:
    """The column of a relation as an expression of the contract's type; NULL where it does not parse.

    Stricter than TRY_CAST: a whole number has no decimals, a number is finite, a day has no time, and the offset of
    a moment counts (a moment without one is UTC).
    """
    name = quote(column.name)
    if source_type == column.type:
        return name
    if source_type == "VARCHAR" and column.type == "TIMESTAMP":
        return f"(try_cast({name} as timestamptz) at time zone 'UTC')"
    value = f"try_cast({name} as {column.type})"
    if column.type == "BIGINT" and source_type not in _WHOLE_NUMBERS:
        return f"if(try_cast({name} as double) = {value}, {value}, null)"
    if column.type == "DOUBLE" and source_type not in _WHOLE_NUMBERS:
        return f"if(isfinite({value}), {value}, null)"
    if column.type == "DATE":
        return f"if(try_cast({name} as timestamp) = {value}, {value}, null)"
    return value


def _always_parses(source_type: str, wanted_type: str) -> bool:
    return (
        source_type == wanted_type
        or wanted_type == "VARCHAR"
        or source_type in _ALWAYS_PARSES.get(wanted_type, frozenset())
    )
