"""Typing rows strictly by a contract: what a relation offers, how each column is parsed, what did not parse."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches

from warehouse.contracts import Table
from warehouse.contracts.table import Column, literal, quote
from warehouse.sources.base import FeedError, Relation

# Columns that a load adds to a feed's own while it reads it.
INPUT_COLUMN = "_input_name"
BROKEN_COLUMN = "_broken_rules"

_WHOLE_NUMBERS = frozenset(
    {"TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT", "HUGEINT"}
)
# Types whose every value has a counterpart in the contract's type, so that no row needs to be looked at.
_ALWAYS_PARSES: Mapping[str, frozenset[str]] = {
    "DOUBLE": _WHOLE_NUMBERS - {"UBIGINT", "HUGEINT"},
    "BIGINT": _WHOLE_NUMBERS - {"UBIGINT", "HUGEINT"},
}
# Even of the contract's own type a value may be none that a shop has.
_LOOKED_AT = frozenset({"VARCHAR", "DOUBLE", "TIMESTAMP", "DATE"})
# What systems write where they know no moment (year 1, an overflow) is no moment; the end of time means "for good".
_EARLIEST, _END = "1970-01-01", "10000-01-01"
# An event of a later year is a slip of the pen.
_END_OF_EVENTS = "2200-01-01"
# No quantity of a shop is larger, and sums of squares of such numbers are still finite.
_LARGEST = "1e15"
# From here on a floating-point number cannot tell two whole numbers apart, and so no two ids.
_LARGEST_WHOLE = 2**53
_MOST_SHOWN = 30


@dataclass(frozen=True)
class Offer:
    """What one relation offers to a contract: `types` of the contract's columns that it has, and the others."""

    table: Table
    types: Mapping[str, str]
    unknown_columns: tuple[str, ...]

    @property
    def doubtful_columns(self) -> list[Column]:
        """The columns of which a value may not parse."""
        return [
            column
            for column in self.table.columns
            if column.name in self.types and _may_not_parse(self.types[column.name], column.type)
        ]

    @property
    def column_list(self) -> str:
        """The contract's columns on offer, quoted, for an INSERT."""
        return ", ".join(quote(name) for name in self.types)

    @property
    def parsed_list(self) -> str:
        """The same columns as expressions of the contract's types."""
        return ", ".join(self._parsed(self.table.column(name)) for name in self.types)

    @property
    def is_broken(self) -> str:
        """A predicate: whether a value of the row does not parse."""
        return " or ".join(self._does_not_parse(column) for column in self.doubtful_columns) or "false"

    @property
    def broken_rules(self) -> str:
        """An expression: the rules `<column>_parses` that a row breaks, comma separated, '' when it breaks none."""
        cases = ", ".join(
            f"case when {self._does_not_parse(column)} then {literal(column.name + '_parses')} end"
            for column in self.doubtful_columns
        )
        return f"concat_ws(',', {cases or 'null'})"

    def _parsed(self, column: Column) -> str:
        return parsed(column, self.types[column.name], is_event=column.name == self.table.event_column)

    def _does_not_parse(self, column: Column) -> str:
        name, source_type = quote(column.name), self.types[column.name]
        if source_type == column.type == "VARCHAR":
            # No text of a shop has one, and databases and programs further on would end the text there.
            return f"contains({name}, chr(0))"
        is_given = f"trim({name}) <> ''" if source_type == "VARCHAR" else f"{name} is not null"
        return f"({self._parsed(column)} is null and {is_given})"


def offer(table: Table, relation: Relation, columns: Mapping[str, str]) -> Offer:
    """Compare the relation's columns (name -> DuckDB type) with the contract.

    FeedError names the file, the required column that it lacks and the present column most like it.
    """
    present = {name.lower(): name for name in columns if name != INPUT_COLUMN}
    for column in table.columns:
        if column.required and column.name not in present:
            near = get_close_matches(column.name, present.keys() - set(table.column_names), n=1)
            hint = f"rename {present[near[0]]!r} if that is meant" if near else "add it"
            raise FeedError(
                f"The required column {column.name!r} is missing; the file has {_columns_in_words(table, present)}.",
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


def _columns_in_words(table: Table, present: Mapping[str, str]) -> str:
    """Names of columns; where not one is known, the first line may be a row, which tells about a person."""
    if not present.keys() & set(table.column_names):
        return f"{len(present)} columns, of which the contract knows none: its header may be missing"
    shown = list(present.values())[:_MOST_SHOWN]
    more = f" and {len(present) - len(shown)} more" if len(present) > len(shown) else ""
    return f"{', '.join(shown)}{more}"


def parsed(column: Column, source_type: str, *, is_event: bool = False) -> str:
    """The column of a relation as an expression of the contract's type; NULL where it does not parse, and for a text
    of nothing but blanks.

    Stricter than TRY_CAST: a whole number has no decimals, a number is finite, a day has no time, a moment lies within
    the years in which shops have data, and its offset counts (a moment without one is UTC).
    """
    name = quote(column.name)
    if column.type == "VARCHAR":
        return _text(name, source_type)
    if source_type == "VARCHAR" and column.type == "TIMESTAMP":
        value = f"(try_cast({name} as timestamptz) at time zone 'UTC')"
    else:
        value = name if source_type == column.type else f"try_cast({name} as {column.type})"
    if column.type == "BIGINT" and source_type not in _WHOLE_NUMBERS:
        return f"if(try_cast({name} as double) = {value}, {value}, null)"
    if column.type == "DOUBLE" and source_type not in _ALWAYS_PARSES["DOUBLE"]:
        return f"if(abs({value}) <= {_LARGEST}, {value}, null)"
    if column.type in ("TIMESTAMP", "DATE"):
        has_no_time = "" if column.type == "TIMESTAMP" else f" and try_cast({name} as timestamp) = {value}"
        kind = column.type.lower()
        end = f"{kind} '{_END_OF_EVENTS if is_event else _END}'"
        return f"if({value} >= {kind} '{_EARLIEST}' and {value} < {end}{has_no_time}, {value}, null)"
    return value


def _text(name: str, source_type: str) -> str:
    """An id that was delivered as a number is the same id as in the feeds that deliver it as text."""
    if source_type == "VARCHAR":
        # The comparison spares nearly every row the look at its blanks.
        return f"if({name} < '!' and trim({name}, e' \\t\\r\\n') = '', null, {name})"
    if source_type in ("DOUBLE", "FLOAT"):
        whole = f"if({name} = floor({name}), cast({name} as bigint)::varchar, {name}::varchar)"
        return f"case when abs({name}) < {_LARGEST_WHOLE} then {whole} end"
    return f"{name}::varchar"


def _may_not_parse(source_type: str, wanted_type: str) -> bool:
    if source_type == wanted_type:
        return wanted_type in _LOOKED_AT
    return source_type not in _ALWAYS_PARSES.get(wanted_type, frozenset())
