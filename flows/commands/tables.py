"""Rows as a table on the terminal."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from flows.commands.options import print_line


def print_table(title: str, names: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> None:
    """The rows as a table on stdout, under a title if there is one; numbers to the right."""
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    # A pipe has no width: nothing is cut there.
    console = Console(width=None if sys.stdout.isatty() else 10_000, highlight=False)
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for index, name in enumerate(names):
        is_number = any(isinstance(row[index], int | float) for row in rows)
        table.add_column(name, justify="right" if is_number else "left", overflow="fold")
    for row in rows:
        table.add_row(*[Text(_cell(value)) for value in row])
    with console.capture() as capture:
        console.print(table)
    for line in [f"\n{title}" if title else "", *capture.get().splitlines()]:
        if line.strip():
            print_line(line.rstrip())


def _cell(value: Any) -> str:
    """A value as a person reads it: four digits, no fractions of a second."""
    if isinstance(value, float):
        return f"{value:.4g}" if abs(value) < 1000 else f"{value:,.0f}"
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M:%S}"
    return "" if value is None else str(value)
