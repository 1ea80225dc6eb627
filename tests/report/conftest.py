"""A home with two released nights of a small shop, made in SQL, and the page about each."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import pytest

from tasks.write_report import write_page
from warehouse.connect import open_warehouse, read_sql
from warehouse.migrate import migrate
from warehouse.release import Shelf, next_release, put_on_shelf
from warehouse.release_file import build_file

FIRST_DAY = date(2026, 3, 1)
RUNS = ("20260301-first", "20260302-second")
SHOP = Path(__file__).with_name("shop.sql").read_text(encoding="utf-8")


@dataclass(frozen=True)
class Nights:
    """The home, and the pages of its first and second night."""

    home: Path
    first: Path
    second: Path

    @property
    def shelf(self) -> Shelf:
        return Shelf(self.home / "published", self.home / "published.duckdb")


def release_nights(home: Path, runs: tuple[str, str]) -> Nights:
    """Release both nights under these run ids, and write their pages."""
    shelf = Shelf(home / "published", home / "published.duckdb")
    shelf.tidy()
    pages = []
    with open_warehouse(home / "warehouse.duckdb") as con:
        migrate(con)
        con.execute(read_sql("staging/schemas.sql"))
        for number, run_id in enumerate(runs, start=1):
            as_of = FIRST_DAY + timedelta(days=number - 1)
            script = SHOP
            for name, value in {"$as_of": f"date '{as_of}'", "$run": f"'{run_id}'", "$night": str(number)}.items():
                script = script.replace(name, value)
            con.execute(script)
            release = next_release(con, shelf, run_id, as_of, "night", "nightly")
            build_file(con, shelf.draft(run_id), release)
            put_on_shelf(con, shelf, release)
            pages.append(write_page(con, home, run_id).file)
    return Nights(home, *pages)


@pytest.fixture(scope="session")
def nights(tmp_path_factory: pytest.TempPathFactory) -> Nights:
    """Look, but change nothing here."""
    return release_nights(tmp_path_factory.mktemp("home"), RUNS)
