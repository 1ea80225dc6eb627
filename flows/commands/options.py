"""Options that several commands share, and how an answer is printed."""

from __future__ import annotations

import json as json_module
import sys
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any

import typer

FAILED, WRONG_USE, BUSY, UNSENT = 1, 2, 4, 5

Home = Annotated[
    Path | None, typer.Option(help="Folder of everything a night writes (setting home)", show_default=False)
]
Source = Annotated[
    str | None, typer.Option(help="Where feeds come from, NAME or NAME:LOCATION (setting source)", show_default=False)
]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Say nothing on the way")]
Json = Annotated[bool, typer.Option("--json", help="One JSON document on stdout, nothing else")]
DAY_FORMATS = ["%Y-%m-%d"]


def print_json(answer: Any) -> None:
    """The answer on stdout; decimals as numbers, dates as text."""
    json_module.dump(answer, sys.stdout, default=_plain, indent=2)
    sys.stdout.write("\n")


def _plain(value: object) -> float | str:
    return float(value) if isinstance(value, Decimal) else str(value)


def print_line(text: str = "") -> None:
    """A line of the answer on stdout."""
    sys.stdout.write(f"{text}\n")


def stop(message: str, code: int = FAILED) -> typer.Exit:
    """The message on stderr; raise what this returns."""
    sys.stderr.write(f"error: {message}\n")
    return typer.Exit(code)


def with_remedy(error: LookupError, remedy: str) -> str:
    """The error's own words, and the remedy where they name none."""
    words = str(error.args[0])
    return words if "Remedy:" in words else f"{words}{'' if words[-1] in '.?!' else '.'} Remedy: {remedy}."
