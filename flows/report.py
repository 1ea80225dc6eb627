"""The morning report of a night that is over."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from tasks.write_report import ReportPage, write_page
from warehouse import lock
from warehouse.connect import open_with_files
from warehouse.release import list_releases


def rebuild_report(home: Path, as_of_date: date | None = None) -> ReportPage:
    """Write the page of the night that readers see, or of the latest night released for that day, anew.

    LookupError when there is no such night, `warehouse.lock.WarehouseBusy` while a night is at work.
    """
    if not (home / "warehouse.duckdb").exists():
        raise LookupError(
            f"{home.resolve()} has no nights yet. Remedy: fivefold run, or name another home with --home."
        )
    with lock.reading(home) as writer:
        if writer:
            raise lock.WarehouseBusy(
                f"{writer} is at work, and the names in a report come from its warehouse. Remedy: wait for it; the "
                f"pages of earlier nights are in {home / 'reports'}."
            )
        with open_with_files(home / "warehouse.duckdb") as con:
            releases = list_releases(con)
            chosen = [
                one for one in releases if (one.is_current if as_of_date is None else one.as_of_date == as_of_date)
            ]
            if not chosen:
                days = ", ".join(sorted({f"{one.as_of_date}" for one in releases})) or "none yet"
                raise LookupError(
                    f"no night is released{f' for {as_of_date}' if as_of_date else ''}. Remedy: name a day that is "
                    f"({days}), or fivefold run."
                )
            return write_page(con, home, chosen[-1].run_id)
