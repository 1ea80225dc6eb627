"""Write the morning report: one page for managers and the data team about a released night."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import duckdb

from tasks.night import Night
from tasks.progress import report
from tasks.report.page import render_page
from tasks.report.vega import vega_script
from warehouse.release import Shelf
from warehouse.report import find_nights, reading
from warehouse.whole_text import write_text_whole

_RUN = re.compile(r'<meta name="fivefold-run" content="([^"]+)">')
# The mark stands within the first lines of a page.
_BEGINNING = 4096


@dataclass(frozen=True, kw_only=True)
class ReportPage:
    """Where the page is, and how large."""

    file: Path
    bytes: int

    def __str__(self) -> str:
        return f"{self.file} ({self.bytes / 1e6:.1f} MB)"


def write_report(con: duckdb.DuckDBPyConnection, night: Night) -> ReportPage:
    """Write `reports/<as_of_date>.html` of the home about this night, which readers see already."""
    return write_page(con, night.home, night.run_id)


def write_page(con: duckdb.DuckDBPyConnection, home: Path, run_id: str) -> ReportPage:
    """Write the page about a released night of the home; `con` is open on its warehouse.

    Pages about nights whose published file is gone go with it.
    LookupError when the night's own file is not kept.
    """
    shelf, folder = Shelf.of(home), home / "reports"
    nights = find_nights(con, shelf, run_id)
    vega = vega_script(folder)
    report("asking for what changed, what to do and why", 0.2)
    with reading(con, shelf, nights):
        page = render_page(con, nights, vega)
    file = folder / f"{nights.tonight.as_of_date}.html"
    write_text_whole(page, file)
    _withdraw(folder, shelf)
    return ReportPage(file=file, bytes=file.stat().st_size)


def _withdraw(folder: Path, shelf: Shelf) -> None:
    for page in folder.glob("*.html"):
        with page.open(encoding="utf-8") as file:
            found = _RUN.search(file.read(_BEGINNING))
        if found and not shelf.file(found[1]).exists():
            page.unlink()
