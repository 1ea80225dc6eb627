"""What a table promises: one declaration that gives DDL, keys, comments, checks and the dictionary.

A `Table` is data, not code: `warehouse.contracts.ddl` turns it into SQL, `warehouse.validation` into a
Great Expectations suite and into the predicates that move bad rows to quarantine, and
`warehouse.contracts.dictionary` into `docs/dictionary.md`. No fact about a table is written twice.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

Severity = Literal["critical", "warning", "info"]
Scope = Literal["row", "table"]

# What an erased user's orders carry instead of the id: known to no table, and no orphan either.
ERASED_USER_ID = "erased"


def quote(identifier: str) -> str:
    """The identifier quoted for SQL."""
    return '"' + identifier.replace('"', '""') + '"'


def literal(value: str | int | float) -> str:
    """The value as a SQL literal; for the constants of a contract, never for user input."""
    return str(value) if isinstance(value, int | float) else "'" + value.replace("'", "''") + "'"


@dataclass(frozen=True, kw_only=True)
class Column:
    """One column: `type` is a DuckDB type, `meaning` one line that names the unit if there is one.

    `required`: a feed without the column, or a row without a value, is refused.
    `low`/`high`: inclusive bounds; `one_of`: the allowed words; `references`: "table.column" of the
    entity that the value names. `pii`: the column tells something about a person.
    """

    name: str
    type: str
    meaning: str
    required: bool = False
    pii: bool = False
    low: float | None = None
    high: float | None = None
    one_of: tuple[str, ...] = ()
    references: str | None = None
    severity: Severity = "critical"


@dataclass(frozen=True, kw_only=True)
class Rule:
    """One check. `violation` is a SQL predicate, true for a broken row (row scope) or, as an aggregate
    expression over the whole table, true when the table breaks the promise (table scope).

    `kind` and `columns` let the validation choose the matching Great Expectations expectation; `kind` "sql"
    means that only the predicate says it.
    """

    name: str
    kind: Literal["not_null", "between", "one_of", "references", "unique", "sql"]
    violation: str
    meaning: str
    columns: tuple[str, ...] = ()
    severity: Severity = "critical"
    scope: Scope = "row"


@dataclass(frozen=True, kw_only=True)
class Table:
    """One feed or published table. `grain` is the first sentence of its comment; `key` its primary key.

    `max_quarantined_ratio`: the share of new rows that may break a critical row rule before the night stops;
    `tolerated_rows`: as many may always (of at least twice as many), because a handful is no broken feed.
    `essential`: a first night is impossible without this feed. `event_column`: when a row happened, for
    freshness and incremental loading. `rules`: checks beyond those that columns and key imply.
    """

    name: str
    grain: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]
    schema: str = "raw"
    note: str = ""
    essential: bool = False
    event_column: str | None = None
    max_quarantined_ratio: float = 0.01
    tolerated_rows: int = 5
    rules: tuple[Rule, ...] = field(default=())

    @cached_property
    def column_names(self) -> tuple[str, ...]:
        """Names in declared order."""
        return tuple(column.name for column in self.columns)

    @property
    def qualified_name(self) -> str:
        """Schema and table, quoted."""
        return f"{quote(self.schema)}.{quote(self.name)}"

    @property
    def comment(self) -> str:
        """The grain, the key and the note, as stored in the database."""
        return " ".join(part for part in (self.grain, f"Key: {', '.join(self.key)}.", self.note) if part)

    def column(self, name: str) -> Column:
        """The column of that name; KeyError names the table."""
        for column in self.columns:
            if column.name == name:
                return column
        raise KeyError(f"{self.name} has no column {name}")

    def most_quarantined(self, new_rows: int) -> int:
        """The most rows that may be set aside of so many new ones before the night stops."""
        return max(min(self.tolerated_rows, new_rows // 2), int(self.max_quarantined_ratio * new_rows))

    @cached_property
    def all_rules(self) -> tuple[Rule, ...]:
        """Every check of the table: implied by its columns, by its key, and declared."""
        implied = [rule for column in self.columns for rule in _rules_of(column)]
        return (*implied, _unique(self.key), *self.rules)


def _rules_of(column: Column) -> list[Rule]:
    name, sql = column.name, quote(column.name)
    rules: list[Rule] = []
    if column.required:
        rules.append(
            Rule(
                name=f"{name}_present",
                kind="not_null",
                columns=(name,),
                violation=f"{sql} is null",
                meaning=f"{name} has a value",
                severity=column.severity,
            )
        )
    if column.low is not None or column.high is not None:
        bounds = [f"{sql} < {column.low}"] if column.low is not None else []
        bounds += [f"{sql} > {column.high}"] if column.high is not None else []
        limits = " and ".join(
            text
            for text in (
                f"at least {column.low}" if column.low is not None else "",
                f"at most {column.high}" if column.high is not None else "",
            )
            if text
        )
        rules.append(
            Rule(
                name=f"{name}_in_range",
                kind="between",
                columns=(name,),
                violation=f"({' or '.join(bounds)})",
                meaning=f"{name} is {limits}",
                severity=column.severity,
            )
        )
    if column.one_of:
        words = ", ".join(literal(word) for word in column.one_of)
        rules.append(
            Rule(
                name=f"{name}_known",
                kind="one_of",
                columns=(name,),
                violation=f"{sql} not in ({words})",
                meaning=f"{name} is one of {', '.join(column.one_of)}",
                severity=column.severity,
            )
        )
    if column.references:
        table, key = column.references.split(".")
        rules.append(
            Rule(
                name=f"{name}_exists",
                kind="references",
                columns=(name,),
                # Without the second condition one entity with an empty key would make every value pass.
                violation=(
                    f"({sql} is not null and {sql} not in "
                    f"(select {quote(key)} from raw.{quote(table)} where {quote(key)} is not null)"
                    f"{_but_erased(column)})"
                ),
                meaning=f"{name} is known in {table}",
                # An orphan still carries money or demand: it is reported, not removed.
                severity="warning",
            )
        )
    return rules


def _but_erased(column: Column) -> str:
    return f" and {quote(column.name)} <> {literal(ERASED_USER_ID)}" if column.references == "users.user_id" else ""


def _unique(key: tuple[str, ...]) -> Rule:
    columns = ", ".join(quote(name) for name in key)
    return Rule(
        name="key_unique",
        kind="unique",
        columns=key,
        violation=f"count(*) over (partition by {columns}) > 1",
        meaning=f"{', '.join(key)} names one row",
    )


def text(name: str, meaning: str, **options: object) -> Column:
    """A VARCHAR column."""
    return Column(name=name, type="VARCHAR", meaning=meaning, **options)  # type: ignore[arg-type]


def money(name: str, meaning: str, **options: object) -> Column:
    """A DECIMAL(18,4) column, in the row's currency."""
    return Column(name=name, type="DECIMAL(18,4)", meaning=meaning, **options)  # type: ignore[arg-type]


def number(name: str, meaning: str, **options: object) -> Column:
    """A DOUBLE column."""
    return Column(name=name, type="DOUBLE", meaning=meaning, **options)  # type: ignore[arg-type]


def integer(name: str, meaning: str, **options: object) -> Column:
    """A BIGINT column."""
    return Column(name=name, type="BIGINT", meaning=meaning, **options)  # type: ignore[arg-type]


def ratio(name: str, meaning: str, **options: object) -> Column:
    """A DOUBLE column between 0 and 1."""
    return Column(name=name, type="DOUBLE", meaning=meaning, low=0, high=1, **options)  # type: ignore[arg-type]


def flag(name: str, meaning: str, **options: object) -> Column:
    """A BOOLEAN column."""
    return Column(name=name, type="BOOLEAN", meaning=meaning, **options)  # type: ignore[arg-type]


def day(name: str, meaning: str, **options: object) -> Column:
    """A DATE column, in the business time zone."""
    return Column(name=name, type="DATE", meaning=meaning, **options)  # type: ignore[arg-type]


def moment(name: str, meaning: str, **options: object) -> Column:
    """A TIMESTAMP column, in UTC."""
    return Column(name=name, type="TIMESTAMP", meaning=meaning, **options)  # type: ignore[arg-type]


def not_before(later: str, earlier: str, severity: Severity = "warning") -> Rule:
    """The rule that `later` does not lie before `earlier`."""
    return Rule(
        name=f"{later}_not_before_{earlier}",
        kind="sql",
        columns=(later, earlier),
        violation=f"{quote(later)} < {quote(earlier)}",
        meaning=f"{later} is not before {earlier}",
        severity=severity,
    )


def at_least_rows(count: int, severity: Severity = "critical") -> Rule:
    """The rule that the table has at least `count` rows."""
    return Rule(
        name="enough_rows",
        kind="sql",
        violation=f"count(*) < {count}",
        meaning=f"at least {count} rows",
        severity=severity,
        scope="table",
    )


def numbers_finite(columns: tuple[Column, ...]) -> Rule:
    """The rule that each DOUBLE is a number: NaN is above every bound and every other number, and infinity may have no
    bound to cross."""
    names = tuple(column.name for column in columns if column.type == "DOUBLE")
    return Rule(
        name="numbers_finite",
        kind="sql",
        columns=names,
        violation=f"not ({' and '.join(['true', *(f'isfinite({quote(name)})' for name in names)])})",
        meaning="every number is one: neither infinite nor NaN",
    )
