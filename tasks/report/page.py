"""One self-contained page: it opens offline, asks nobody for anything, and runs no script but its own two."""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path

import duckdb
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from tasks.report.sections import SECTIONS
from tasks.report.words import FILTERS
from warehouse.report import Nights, read_section

_FOLDER = Path(__file__).parent / "page"


def render_page(con: duckdb.DuckDBPyConnection, nights: Nights, vega: str) -> str:
    """The page about the night, within `warehouse.report.reading`. `vega` is the script that draws its charts.

    The same files give the same text. Whatever comes from feeds is escaped.
    """
    answers = {
        section.name: read_section(con, section.name)
        for section in SECTIONS
        if section.name != "changes" or nights.before
    }
    night = read_section(con, "night")
    style, script = (_FOLDER / "report.css").read_text("utf-8"), (_FOLDER / "report.js").read_text("utf-8")
    return _environment().get_template("page.html.jinja").render(
        sections=SECTIONS,
        night=night["facts"][0],
        heads={row["head"]: row for row in night["heads"]},
        charts={section.name: section.draw(answers[section.name]) for section in SECTIONS if section.name in answers},
        style=style,
        scripts=(vega, script),
        policy=_policy(style, vega, script),
        **{"changes": None, **answers},
    )  # fmt: skip


def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(_FOLDER),
        autoescape=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
    )
    environment.filters |= FILTERS
    return environment


def _policy(style: str, *scripts: str) -> str:
    """A Content-Security-Policy that knows the page's own style and scripts by their hashes, and nothing else."""
    allowed = " ".join(map(_hash, scripts))
    return (
        f"default-src 'none'; script-src {allowed}; style-src {_hash(style)}; img-src data:; base-uri 'none'; "
        "form-action 'none'"
    )


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
