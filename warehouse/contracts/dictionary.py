"""The contracts as pages: `docs/dictionary.md`, and one table as plain text."""

from __future__ import annotations

from pathlib import Path

from warehouse.contracts import FEEDS, KEPT_TABLES, OPS_TABLES, PUBLISHED_TABLES
from warehouse.contracts.scenarios import SCENARIO_TABLES
from warehouse.contracts.table import Column, Table

PAGE = Path(__file__).parent.parent.parent / "docs" / "dictionary.md"

_INTRODUCTION = """\
# Data dictionary

Generated from `warehouse/contracts/` by `make docs`; the same sentences are comments in the database, and the same
checks run every night. Times are UTC, dates are days in the business time zone, money is in the row's currency.
A **bold** column is part of the key. *Required* columns must be in a feed and have a value in every row; PII says
something about a person.
"""

_SECTIONS = (
    ("Feeds (schema `raw`): what you bring", FEEDS),
    ("Published tables (schema `predictions`): what you get", PUBLISHED_TABLES),
    ("The diary (schema `ops`): what happened", OPS_TABLES),
    ("Kept until the truth is known (schema `kept`, in the warehouse only)", KEPT_TABLES),
    ("Scenarios (`scenarios`, a file of its own): what `fivefold what-if` was asked", SCENARIO_TABLES),
)


def dictionary() -> str:
    """The whole page as Markdown: every table with its grain, key, columns and checks."""
    parts = [_INTRODUCTION]
    for title, tables in _SECTIONS:
        parts.append(f"## {title}\n")
        parts += [_section(table) for table in tables]
    return "\n".join(parts)


def describe_table(table: Table) -> str:
    """One table as plain text for a terminal: grain, key, columns with type and meaning, checks."""
    width = max(len(name) for name in table.column_names)
    kinds = max(len(column.type) for column in table.columns)
    lines = [f"{table.schema}.{table.name}: {table.comment}", ""]
    lines += [
        f"  {column.name:<{width}}  {column.type:<{kinds}}  {_meaning(column)}".rstrip() for column in table.columns
    ]
    lines += ["", "Checks:", *(f"  {rule.severity:<8}  {rule.meaning}" for rule in table.all_rules)]
    return "\n".join(lines)


def _section(table: Table) -> str:
    lines = [
        f"### {table.schema}.{table.name}\n",
        table.comment + (" Essential: no night without it." if table.essential else "") + "\n",
        "| column | type | meaning |",
        "|---|---|---|",
    ]
    for column in table.columns:
        name = f"**{column.name}**" if column.name in table.key else column.name
        lines.append(f"| {name} | {column.type} | {_escape(_meaning(column))} |")
    # What columns and key imply is said by the table above.
    if table.rules:
        lines += ["", "Checks: " + "; ".join(f"{rule.meaning} ({rule.severity})" for rule in table.rules) + "."]
    return "\n".join(lines) + "\n"


def _meaning(column: Column) -> str:
    marks = [
        "required" if column.required else "",
        "PII" if column.pii else "",
        f"one of {', '.join(column.one_of)}" if column.one_of else "",
        _bounds(column),
        f"names a {column.references}" if column.references else "",
    ]
    said = "; ".join(mark for mark in marks if mark)
    return f"{column.meaning} ({said})" if said else column.meaning


def _bounds(column: Column) -> str:
    if column.low is not None and column.high is not None:
        return f"{column.low:g} to {column.high:g}"
    if column.low is not None:
        return f"at least {column.low:g}"
    return f"at most {column.high:g}" if column.high is not None else ""


def _escape(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    PAGE.write_text(dictionary(), encoding="utf-8")
